"""The OpenAPI document: what it promises, that it is kept, and that it does not break clients."""
