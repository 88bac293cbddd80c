"""The one compiled loop: a static interpreter of the program's arrays, batches of 1 to 100,000.

Nothing here is compiled again when a segment is edited: what differs between workspaces is data.
"""
