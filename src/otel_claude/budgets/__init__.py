"""Budgets: what a process, a machine or a fleet may spend on Claude, and what happens when it has.

In: the cost of each call that has ended. Out: events when a part of a budget is used up, gauges of what was spent, and,
where that is asked for, `BudgetExceeded` before the next request is sent.

Words: a *budget* is an amount of money for a *period*. It may hold for each value of something, such as each tenant:
an *account* is a budget with one such value. Money is booked in a *slot* of time: a calendar period is one slot, a
rolling one has several, so that the oldest can fall out. The *book* has what this process knows of all accounts. The
*ledger* is where the books of all processes come together. Money is whole picodollars, so that sums are exact.
"""
