"""Log entries to the kernel's operations, live one by one and from history by the array."""
