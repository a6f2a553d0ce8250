"""Jobs: what beat fires, how workers take it, and what a look at a check may write."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, SQLITE, Guard

SCHEDULE = "campaigns/services/jobs/schedule.py"
SETTINGS = "budget_manager/settings.py"
JOBS = "campaigns/services/jobs/full_check.py"
ENFORCEMENT = "campaigns/services/enforcement/enforce.py"


def _schedule(name: str, before: str, after: str) -> Guard:
    return Guard(name, SCHEDULE, before, after, "test_schedule", SQLITE)


def _setting(name: str, before: str, after: str) -> Guard:
    return Guard(name, SETTINGS, before, after, "test_schedule", SQLITE)


def _job(name: str, file: str, before: str, after: str, tests: str, databases: str = BOTH) -> Guard:
    return Guard(name, file, before, after, tests, databases)


GUARDS = (
    # The schedule and celery's settings are the same for both databases.
    _schedule("the check expires", '("*/5", "*", "*"),\n    240,', '("*/5", "*", "*"),\n    300,'),
    _schedule("the daily job expires", '("0", "0", "*"),\n    3600,', '("0", "0", "*"),\n    86400,'),
    _schedule("the monthly job expires", '("0", "0", "1"),\n    3600,', '("0", "0", "1"),\n    2678400,'),
    _schedule("jobs have their expiry", '            "expire_seconds": job.expire_seconds,\n', ""),
    _schedule("the check runs every five minutes", '("*/5", "*", "*")', '("*/10", "*", "*")'),
    _schedule("the daily job runs at midnight", '("0", "0", "*")', '("0", "1", "*")'),
    _schedule("the monthly job runs on the 1st", '("0", "0", "1")', '("0", "0", "2")'),
    _schedule(
        "resets run in the application's zone",
        "return UTC if self.in_utc else settings.TIME_ZONE",
        "return UTC",
    ),
    _schedule("the check goes by UTC", "    in_utc=True,\n", ""),
    _schedule("a crontab of every hour is read in UTC", "            _skip_no_hour(using, task)\n", ""),
    _schedule("a quick check leaves room for clocks that differ", "    expire_seconds=60,", "    expire_seconds=10,"),
    _schedule("an earlier expiry follows", "            _expire_later(using, job, task)\n", ""),
    _schedule("resets follow TIME_ZONE", "            _follow_time_zone(using, job)\n", "            pass\n"),
    _schedule("a zone that staff chose stays", " and given in (None, zone)", ""),
    _schedule(
        "the zone that was given is noted",
        '        zones.update_or_create(task=job.task, defaults={"timezone": job.zone})',
        "        pass",
    ),
    _schedule("no job is left out", "JOBS = (CHECK, DAILY, MONTHLY, QUICK)", "JOBS = (CHECK, DAILY, QUICK)"),
    _schedule(
        "what staff renamed is not made again",
        "        if not tasks:\n            _create",
        "        if True:\n            _create",
    ),
    _schedule("a name that is taken is no obstacle", "name=job.task if name_is_taken else job.name,", "name=job.name,"),
    _schedule(
        "a crontab is made once",
        "return schedules.filter(**fields).first() or schedules.create(**fields)",
        "return schedules.create(**fields)",
    ),
    _setting(
        "a killed worker's task is not acknowledged", "CELERY_TASK_ACKS_LATE = True", "CELERY_TASK_ACKS_LATE = False"
    ),
    _setting(
        "a killed worker's task runs again",
        "CELERY_TASK_REJECT_ON_WORKER_LOST = True",
        "CELERY_TASK_REJECT_ON_WORKER_LOST = False",
    ),
    _setting(
        "a worker reserves one task", "CELERY_WORKER_PREFETCH_MULTIPLIER = 1", "CELERY_WORKER_PREFETCH_MULTIPLIER = 4"
    ),
    _setting("no results are kept", "CELERY_TASK_IGNORE_RESULT = True", "CELERY_TASK_IGNORE_RESULT = False"),
    _setting("a soft time limit", "CELERY_TASK_SOFT_TIME_LIMIT = 240", "CELERY_TASK_SOFT_TIME_LIMIT = None"),
    _setting("a hard time limit", "CELERY_TASK_TIME_LIMIT = 270", "CELERY_TASK_TIME_LIMIT = 300"),
    _setting(
        "retries go on for ever",
        "CELERY_BROKER_CONNECTION_MAX_RETRIES = None",
        "CELERY_BROKER_CONNECTION_MAX_RETRIES = 100",
    ),
    _setting(
        "a broker is waited for at the start",
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True",
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = False",
    ),
    _setting("a dead peer is not waited for", '    "socket_timeout": 30,', '    "socket_timeout": 3600,'),
    _setting(
        "a peer that can't be reached is not waited for",
        '    "socket_connect_timeout": 10,',
        '    "socket_connect_timeout": 3600,',
    ),
    _setting("a dead peer is noticed", '    "socket_keepalive": True,', '    "socket_keepalive": False,'),
    _setting(
        "a running task is given to nobody else", '    "visibility_timeout": 60 * 60,', '    "visibility_timeout": 60,'
    ),
    _setting(
        "tasks have a queue of their own",
        'CELERY_TASK_DEFAULT_QUEUE = "budget_manager"',
        'CELERY_TASK_DEFAULT_QUEUE = "celery"',
    ),
    _setting(
        "beat reads the database",
        'CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"',
        'CELERY_BEAT_SCHEDULER = "celery.beat:PersistentScheduler"',
    ),
    _job(
        "a look writes nothing",
        ENFORCEMENT,
        "    return [_change(row) for row in differences(scope, now)]",
        "    changes = [_change(row) for row in differences(scope, now)]\n"
        "    enforce(scope, clock=lambda: now, actor='preview')\n    return changes",
        "test_enforce_dry_run",
    ),
    _job(
        "a look re-books nothing",
        JOBS,
        "transaction.set_rollback(True)",
        "transaction.set_rollback(False)",
        "test_enforce_dry_run",
    ),
    _job(
        "a check re-books",
        JOBS,
        "    rebooked = apply_zone_changes(clock=closing)\n",
        "    rebooked = apply_zone_changes(clock=closing, brands=[])\n",
        "test_change_time_zone",
    ),
    _job(
        "a check folds",
        JOBS,
        "folded = fold(unfinished=unfinished)",
        "folded = 0",
        "test_tasks test_folding",
    ),
    _job(
        "a check closes",
        JOBS,
        "closed = close_periods(now=clock(), unfinished=unfinished)",
        "closed = 0",
        "test_tasks",
    ),
    _job(
        "a check opens what was closed too early",
        JOBS,
        "    reopened = reopen_periods(clock=closing, unfinished=unfinished)\n",
        "    reopened = 0\n",
        "test_clock_ahead",
    ),
    _job(
        "a run dated ahead is put right",
        JOBS,
        "    JobRun.objects.filter(succeeded_at__gt=now + SKEW).update(started_at=now, succeeded_at=now)\n",
        "",
        "test_health_of_jobs",
    ),
    _job(
        "a moved clock closes nothing",
        JOBS,
        "    closing = closing_clock or clock\n",
        "    closing = clock\n",
        "test_enforce_command",
    ),
    _job(
        "a check notes its success",
        JOBS,
        "succeeded_at=now, summary=check.summary",
        "summary=check.summary",
        "test_tasks",
    ),
    _job("a check notes its start", JOBS, 'defaults={"started_at": now}', "defaults={}", "test_tasks"),
    _job(
        "a campaign keeps its last line of history",
        "campaigns/services/ledger/prune.py",
        "AND line.id < (",
        "AND line.id <= (",
        "test_prune_history",
    ),
    _job(
        "a moved clock needs --force",
        "campaigns/management/commands/enforce.py",
        "        if not settings.DEBUG and not force:",
        "        if False:",
        "test_enforce_command",
    ),
)
