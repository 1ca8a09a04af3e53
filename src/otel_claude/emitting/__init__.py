"""From the record of a call to its span, its metric points and its events."""
