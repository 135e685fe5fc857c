"""What proves probes read-only: an allow-list over their syntax trees, one gate a language."""
