"""Totals that platforms report: taking them in, booking them as spend records, and linking them to campaigns.

    report.py   report_totals(totals, accounts=…, campaigns=…) -> Reported: upserts totals, accounts and links
    book.py     book_totals(clock=…) -> Booked: books what differs and doesn't wait; each quick and full check calls it
    links.py    assign({link: campaign}, first_day=…), ignore([link], note), unassign([link]), save_account(account)
    holds.py    release(source, account, day, clock=…), reject(source, account, day): decreases that wait for a person
    waiting.py  free_brands, free_accounts, free_campaigns: totals whose reason to wait may no longer hold
    checks.py   what the quick check and the full check do

Tables: campaigns.models.platforms. A total waits with a reason (Waiting) or is booked within ten seconds.
"""
