"""Planning: (request, pending view of the tree) to a `Plan` of puts, deletes and changes, or to an error code.

Pure: the clock comes in as `PlanContext.now_ms`. May import tree, keyspace, backend.interface (the token's base class),
jute, types and errors. Invariants:
1. A planner that does not return a Plan has not touched the overlay.
2. A plan names every store key at most once, deletes and puts taken together.
3. Applying a plan's changes gives the replica that reading its puts and deletes back would give.
"""
