"""GraphQL over a real server."""
