-- What ran, and what was answered: the two tables that make a second attempt harmless.

create table job_run (
    job           text not null,
    scheduled_for timestamptz not null,
    state         text not null constraint job_run_state check (state in ('running', 'done', 'failed')),
    epoch         integer not null default 1,
    holder        text not null,
    lease_until   timestamptz not null,
    started_at    timestamptz not null,
    finished_at   timestamptz,
    summary       jsonb,
    error         text,
    constraint job_run_once_per_period primary key (job, scheduled_for)
);

create table idempotency_key (
    subject      text not null,
    key          text not null,
    request_hash text not null,
    status       integer not null,
    response     jsonb not null,
    created_at   timestamptz not null,
    constraint idempotency_key_once primary key (subject, key)
);
