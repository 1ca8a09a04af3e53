"""What calls mean for those who run a service: what went wrong, what is about to, and what to do.

In: the record of a call that has ended. Out: words for its span, and *findings*, each of which becomes an event. Pure.
"""
