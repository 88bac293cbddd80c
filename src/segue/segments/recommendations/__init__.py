"""Recommendations: what counts, how parts are weighed, and the rules of the shop, as files say them."""
