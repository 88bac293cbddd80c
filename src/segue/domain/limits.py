"""Every bound in one place; reaching one is an answer with an error code, never an accident."""

CONDITION_CHARACTERS_MAX = 65_536
CONDITION_DEPTH_MAX = 200
CONDITION_NODES_MAX = 20_000
"""Of one condition after named expressions were put in their places."""
NUMERAL_CHARACTERS_MAX = 400
"""A longer text is no number, whatever it says: conditions, events and SQL all draw the line here."""
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
LATE_MS = 5 * 60 * 1_000
"""An event that happened longer than this before its receipt is counted as late."""
DEDUPE_MS = 7 * 24 * 60 * 60 * 1_000
EXPLAINED_EVENTS_MAX = 20
FINDINGS_MAX = 50
"""Of one condition; the rest shows when these are mended."""
PAGE_ROWS_MAX = 10_000
PAGE_ROWS = 1_000
"""Of an answer with a cursor, unless the request says otherwise."""
QUERY_FIELDS_MAX = 50
PIXEL_FIELDS_MAX = 1_000
PIXEL_KEY_DEPTH_MAX = 16
"""Objects that the dots of a key open; further dots are part of the last name."""
POSTED_BYTES_MAX = 256 * 1024 * 1024
"""Of all bodies being received, decoded or written at one moment; beyond it a client comes back later."""
REFUSED_BYTES_MAX = 64 * 1024
REFUSED_SECONDS_MAX = 1
"""Of a body that will not be looked at: it is taken off the connection, so that this one can go on."""
DRAINED_BYTES_MAX = 4 * BODY_BYTES_MAX
"""Of a body that is too large anyway: read to its end, so that the sender hears why, but no further."""
BODY_SECONDS_MAX = 30
HEAD_SECONDS_MAX = 10
"""From the first byte that could begin a request to the last of its headers."""
HEAD_BYTES_MAX = 64 * 1024
"""Beyond the piece in which a head begins, which the system bounds."""
LINGER_SECONDS_MAX = 2
STALLED_SECONDS_MAX = 30
"""In which a client has to read some 50 KB of what it asked for, while more is waiting."""
PIPELINED_MAX = 1_000
"""Requests of one connection that wait for the one before."""
READS_MAX = 256
"""Requests that wait for a thread or run in one."""
COMMANDS_MAX = 8
SHUTDOWN_SECONDS_MAX = 10
PROFILES_KEPT_MAX = 20_000
"""Profiles whose answers are kept in memory, the last ones asked for; some 4 KB each."""
PURGED_CHANGES_MAX = 2_000_000
"""Changes that wait to be told to a cache; beyond it the cache drops everything."""
PURGED_TAGS_MAX = 20_000
"""Answers that a cache is told to drop one by one; beyond it, it drops everything."""
PURGED_TAGS_A_REQUEST = 100
"""Some 2 KB of header: caches take 4 KB and more."""
GRAPHQL_TOKENS_MAX = 2_000
GRAPHQL_DEPTH_MAX = 10
GRAPHQL_COST_MAX = 20_000
GRAPHQL_USERS_MAX = 100
GRAPHQL_OPERATIONS_MAX = 32
"""At once on one WebSocket."""
GRAPHQL_WAITING_MAX = 1_000
"""Changes that wait for one subscription."""
GRAPHQL_INIT_SECONDS_MAX = 10
TOKEN_MS_MAX = 24 * 60 * 60 * 1_000
TOKEN_CHARACTERS_MAX = 8_192
TOKENS_REMEMBERED_MAX = 10_000
"""User tokens whose signature was found good, so that it is not computed again for each request."""
KEYS_MAX = 10_000
SCOPE_NAMES_MAX = 200
ORIGINS_MAX = 50
METERS_MAX = 100_000
"""Addresses whose rate is remembered; beyond it the longest silent one is forgotten."""
STREAM_LISTENERS_MAX = 20_000
STREAM_QUEUE_MAX = 2_048
"""Changes that wait for one listener; beyond, it reads them from the log instead."""
STREAM_PAGE = 500
STREAM_STALLED_SECONDS = 10
"""Without a client taking anything while something waits for it; then it is cut."""
STREAM_HEARTBEAT_SECONDS = 15
STREAM_CHECK_SECONDS = 4
"""How long a right to listen may outlive its end."""
STREAM_MESSAGE_BYTES_MAX = 64 * 1024
"""Of a message that a listener sends."""
METRIC_SEGMENTS_MAX = 1_000
"""Segments whose sizes are told to whoever collects metrics, the first by name."""
ITEMS_MAX = 1_000_000
"""Of a catalogue; and of those that are known from events alone."""
ITEMS_A_REQUEST_MAX = 10_000
"""That are put into a catalogue at once over HTTP."""
ITEM_ID_CHARACTERS_MAX = 256
ITEM_TEXT_CHARACTERS_MAX = 4_096
ITEM_ATTRIBUTES_MAX = 100
RECOMMENDED_MAX = 200
"""Items of one answer."""
RECENT_ITEMS_MAX = 500
"""That a request may tell of."""
VARIANTS_MAX = 100
"""Of one experience."""
DELIVERY_BYTES_MAX = 256 * 1024
"""Of a message of a trigger; a larger one is a dead letter."""
PAYLOAD_BYTES_MAX = 64 * 1024
"""Of what a variant shows."""
DECIDED_SLOTS_MAX = 50
"""Of one request."""
RECENT_EVENTS_MAX = 100
"""That a request for a decision may tell of."""
DECISIONS_KEPT_MAX = 16
"""Answers about one profile that are kept in memory."""
ANSWER_BYTES_MAX = 64 * 1024
"""Of what a webhook answers, head included; the rest is not read."""
DESTINATION_BATCH_MAX = 1_000
DESTINATION_CONNECTIONS_MAX = 32
DESTINATION_RETRY_MS_MAX = 7 * 24 * 60 * 60 * 1_000
ANSWERS_KEPT_MAX = 5_000
"""Recommendations kept in memory, the last ones asked for; some 6 KB each."""
REMOTE_ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""Of one answer of a model that is served elsewhere."""
REMOTE_BATCH_MAX = 10_000
"""Profiles that it is asked for at once."""
SCORES_A_REQUEST_MAX = 50_000
"""That are handed in at once over HTTP; a body holds some 60,000."""
