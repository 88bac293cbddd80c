"""The workspace: the folder of YAML that says what exists, its checks, its plan and its edits."""
