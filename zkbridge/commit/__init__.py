"""Plans into transactions: order, fences, and what becomes of plans whose ground was pulled away.

May import plan, tree, keyspace and `backend.interface`; does no IO itself.

Invariants:
1. Plans are decided in the order in which they were submitted.
2. The overlay shows exactly the replica under the plans in flight.
3. A plan made on a plan that failed never takes effect; its request is planned again.
"""
