"""Every bound in one place; reaching one is an answer with an error code, never an accident."""

CONDITION_CHARACTERS_MAX = 65_536
CONDITION_DEPTH_MAX = 200
CONDITION_NODES_MAX = 20_000
"""Of one condition after named expressions were put in their places."""
NAME_CHARACTERS_MAX = 64
WORKSPACE_FILE_BYTES_MAX = 16 * 1024 * 1024
YAML_DEPTH_MAX = 50
YAML_NODES_MAX = 2_000_000
YAML_ALIASES_MAX = 100
BODY_BYTES_MAX = 4 * 1024 * 1024
BATCH_EVENTS_MAX = 2_500
EVENT_BYTES_MAX = 32 * 1024
JSON_DEPTH_MAX = 200
MESSAGE_ID_CHARACTERS_MAX = 100
ID_CHARACTERS_MAX = 1_024
FUTURE_MS_MAX = 5 * 60 * 1_000
"""A timestamp further past its receipt is set to the receipt."""
DEDUPE_MS = 7 * 24 * 60 * 60 * 1_000
EXPLAINED_EVENTS_MAX = 20
FINDINGS_MAX = 50
"""Of one condition; the rest shows when these are mended."""
