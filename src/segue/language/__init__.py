"""From a condition's text to its checked tree, and the tree's three meanings."""
