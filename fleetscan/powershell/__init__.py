"""What runs on a host and what comes back: payloads, the envelope, limits. Knows no network."""
