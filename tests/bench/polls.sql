-- A job in flight for each id in far_id, as a create, a submit and a first poll would have left it. @now, @until: when
-- the polls come due, spread evenly; long after: the deadline.
SET SESSION sql_mode = 'TRADITIONAL', tx_isolation = 'READ-COMMITTED';
SET @now = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED), @far_off = 86400000000;

START TRANSACTION;
INSERT INTO account (public_id, name, created_us)
    SELECT CONCAT('acct_', LEFT(SHA2(CONCAT('polled', seq), 256), 26)), CONCAT('polled ', seq), @now
    FROM seq_1_to_100;
SET @account = (SELECT MIN(id) FROM account WHERE name LIKE 'polled %');

INSERT INTO job (public_id, account_id, state, stage, version, provider, model, route, prompt, aspect_ratio, duration_s,
        resolution, price_micro, currency, attempt_n, progress, provider_job_id, request_id, created_us, updated_us,
        started_us, deadline_us)
    SELECT CONCAT('job_', LEFT(SHA2(CONCAT('polled', n), 256), 26)), @account + n MOD 100, 3, 5, 4, 'bench', 'bench-1',
        'bench', CONCAT('a paper boat number ', n, ' on a quiet lake at dawn'), '16:9', 5, '720p', 10000, 'USD', 1, 0,
        id, SHA2(CONCAT('request', n), 224), @now, @now, @now, @now + @far_off
    FROM far_id ORDER BY n;

INSERT INTO attempt (job_id, n, provider, model, adapter, remote_model, client_ref, callback_token, state,
        provider_job_id, created_us, answered_us, started_us)
    SELECT id, 1, provider, model, 'openai', model, LEFT(SHA2(CONCAT('ref', id), 256), 32),
        LEFT(SHA2(CONCAT('token', id), 256), 32), 2, provider_job_id, @now, @now, @now
    FROM job WHERE provider = 'bench' ORDER BY id;

INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us)
    SELECT id, 0, account_id, 1, price_micro, currency, created_us FROM job WHERE provider = 'bench' ORDER BY id;

SOURCE tests/bench/use.sql

INSERT INTO due (kind, job_id, due_us) SELECT 3, id, @now + @far_off FROM job WHERE provider = 'bench' ORDER BY id;
INSERT INTO due (kind, job_id, due_us) SELECT 5, id, deadline_us FROM job WHERE provider = 'bench' ORDER BY id;
COMMIT;
ANALYZE TABLE account, account_use, job, attempt, ledger, due;
