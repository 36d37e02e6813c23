"""The site: Prefect server, worker, schedules and alarms of one home, started, watched over and ended as one."""
