"""What happens again and again, whoever runs: sweeps, and the daily clean-up."""

from dynamic_api.jobs.clean_up import schedule_clean_up
from dynamic_api.orders.sweep import schedule_sweep
from dynamic_api.service import Service


async def schedule_regular_jobs(service: Service) -> None:
    """Make sure that the next one of each waits; harmless however often."""
    await schedule_sweep(service)
    await schedule_clean_up(service)
