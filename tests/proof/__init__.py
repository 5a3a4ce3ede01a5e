"""Histories of money, and a model that says who may watch at their end.

A history is a list of steps. Each runs against the real service and the sandbox: purchases, delays, refunds in parts,
disputes, deliveries doubled, dropped and re-ordered, two workers at once, crashes at any commit, decisions of the
operator, deleted accounts, and what happens between a question to Stripe and the write that follows from its answer.
At the end everything comes to rest, and access must be exactly what the money and the operator's decisions say.
"""
