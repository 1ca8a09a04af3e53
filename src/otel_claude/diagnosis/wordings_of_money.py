"""What words about money mean, as tables: credits, spend limits, budgets, and the billing of platforms and gateways.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
"""

_CREDITS = r"""
billing -> billing
    more credits|can only afford
        The credits do not cover this request: buy credits, or lower max_tokens.
    higher (?:\w{1,20} )?limit
        The spend limit of this key is used up: raise it where the key was made.
invalid_request server other authentication permission billing rate_limited -> billing when no_field
    ^[^:]{0,80}(?:draw from (?:your )?extra usage|out of extra usage|extra usage (?:is |has )?(?:exhausted|used up))
        The extra usage of the Claude plan is used up: add some at claude.ai, or use an API key, which pays by itself.
    ^[^:]{0,80}key limit exceeded
        The spend limit of this key is used up: raise it where the key was made.
    ^[^:]{0,80}(?:credit balance (?:is|was|has)|purchase (?:more )?credits|exceeded your current quota)
        The credits are used up: buy credits or turn on auto-reload, in the organization of this key.
    (?:^|: )insufficient[ _](?:credit|fund|balance|(?:\w{1,20}[ _])?quota)
        The credits are used up: buy credits or turn on auto-reload, in the organization of this key.
    ^[^:]{0,80}(?:reached|hit|exceeds?|exceeded) (?:\w{1,20} ){0,5}usage limits
        A spend limit of the organization or workspace was reached: raise it in the Console, or wait for its reset.
    ^[^:]{0,80}(?:reached|hit|exceeds?|exceeded) (?:\w{1,20} ){0,5}spend(?:ing)? limit
        A spend limit of this key or account was reached: raise it where it was set, or wait for its reset.
    ^[^:]{0,80}spend(?:ing)? limit (?:\w{1,20} ){0,2}(?:exceeded|reached|hit)
        A spend limit of this key or account was reached: raise it where it was set, or wait for its reset.
    ^[^:]{0,80}(?:budget (?:\w{1,20} ){0,2}exceeded|exceeded ?(?:\w{1,20} ){0,2}(?:\w{1,10})?budget)
        A budget that a gateway keeps for this key is used up: raise it there, or wait until it is reset.
    (?:code|type): ?budget_exceeded
        A budget that a gateway keeps for this key is used up: raise it there, or wait until it is reset.
    ^[^:]{0,80}billing (?:to be enabled|is disabled|account|_disabled)|billing_disabled
        The cloud account has no valid billing: check the billing account and the payment method.
    invalid_payment_instrument|valid payment instrument
        The cloud account has no valid billing: check the billing account and the payment method.
    ^[^:]{0,80}payment method (?:was|is|has been|could not be) (?:declined|charged|invalid|expired).{0,80}\bconsole\b
        The payment was declined: renew the payment method of the organization in the Console (platform.claude.com).
    ^[^:]{0,80}payment (?:method )?(?:was |is |has been )?(?:required|declined|failed|invalid|expired)
        The payment failed or is missing: renew the payment method of the account that pays for this key.
"""

_ACCOUNTS = r"""
budget -> budget
    does not answer
        Nothing was sent, since the ledger of a budget is gone and ledger_failure is closed: repair or restart it.
    *
        Nothing was sent, since a budget of this application is spent: wait until it resets, or raise it.
billing -> billing when on_cloud
    *
        The cloud account cannot pay: check its billing and its subscription to the model there.
billing -> billing when on_api
    *
        The account cannot pay: check billing and the payment method in the Console.
billing -> billing
    *
        The account behind this key cannot pay: check its credits, quota and plan with whoever gave out the key.
"""

BEFORE = (_CREDITS,)
"""What is told before all else."""

AFTER = (_ACCOUNTS,)
"""What holds for any words."""
