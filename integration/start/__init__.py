"""How both commands start and end as processes: what they load, what they say, what a closed pipe does to them."""
