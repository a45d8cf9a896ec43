"""Gonk's HTTP API over the datasets of this node: requests in, events signed with the user's own key, answers out.

It holds no rules and no store of its own: what may be proposed or decided is in
`replica.signing.proposing` and `replica.signing.governing`.
"""
