"""Item-item models: which items go together, found from what people did. Numbers in, numbers out."""
