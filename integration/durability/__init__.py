"""A member killed, torn, filled up and slowed down: what was acknowledged must be there. May import etcdcore's door."""
