"""What strangers write comes out as data and nothing else, and what they send is one request and no more."""
