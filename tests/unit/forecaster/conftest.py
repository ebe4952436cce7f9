"""Linear algebra on one thread, as the service runs it: small matrices, and tests beside it."""

from threadpoolctl import threadpool_limits

threadpool_limits(1)
