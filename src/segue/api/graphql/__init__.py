"""GraphQL over the same views as REST: one question for what would take several requests."""
