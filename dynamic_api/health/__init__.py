"""Whether the service can do its work, for whatever watches it: a load balancer, a monitor, an operator."""
