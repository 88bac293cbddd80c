"""Random conditions, workspaces and histories for the laws that hold for all of them."""

FRESH = "hypothesis-urandom"
"""The Hypothesis backend for laws on these: it makes each case anew, and shrinks as ever.

The usual backend mutates: five of six cases copy parts of the case before, which are too alike to find much.
"""
