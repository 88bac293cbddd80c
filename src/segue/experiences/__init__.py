"""What a user should see: content by slot, chosen by who they are; how often it was shown and to what end."""
