-- Many providers behind one model: what a job asked for beyond the spine, what an attempt needs to be looked after
-- whatever becomes of the catalogue, where waiting jobs stand in line, and what is known of each provider.
ALTER TABLE job
    ADD COLUMN route           VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL AFTER model,
    -- enum audio (core/provider/provider.h)
    ADD COLUMN audio           TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER seed,
    ADD COLUMN negative_prompt VARCHAR(1000) NULL AFTER audio,
    -- Request fields that the model leaves out, separated by commas.
    ADD COLUMN ignored         VARCHAR(200) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL AFTER negative_prompt,
    -- Its hold was settled, not released.
    ADD COLUMN charged         TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER currency,
    DROP KEY job_at_provider,
    ADD KEY job_at_provider (stage, provider, model, account_id);
UPDATE job SET charged = 1 WHERE state = 4;

-- adapter and remote_model: the identity that a submit was made with; the catalogue may have changed since.
-- state 6: preparing, nothing has been asked yet. ended: enum attempt_end (core/job/store.h), for the weather.
ALTER TABLE attempt
    ADD COLUMN adapter      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL DEFAULT 'openai' AFTER model,
    ADD COLUMN remote_model VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '' AFTER adapter,
    ADD COLUMN links        VARCHAR(1500) COLLATE utf8mb4_nopad_bin NULL AFTER provider_job_id,
    ADD COLUMN seed         BIGINT NULL AFTER links,
    ADD COLUMN odd_word     VARCHAR(40) COLLATE utf8mb4_nopad_bin NULL AFTER seed,
    ADD COLUMN cancel_us    BIGINT NULL AFTER odd_word,
    ADD COLUMN started_us   BIGINT NULL AFTER answered_us,
    ADD COLUMN ended_us     BIGINT NULL AFTER started_us,
    ADD COLUMN ended        TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER ended_us,
    DROP CONSTRAINT attempt_state,
    ADD CONSTRAINT attempt_state CHECK (state BETWEEN 1 AND 6),
    ADD KEY attempt_weather (model, ended_us);
UPDATE attempt SET remote_model = model WHERE remote_model = '';

-- lane: the model that a waiting job stands in line for. By id within an account: first come, first served; the
-- index is not touched by a change of due_us.
ALTER TABLE due
    ADD COLUMN lane       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL DEFAULT '' AFTER kind,
    ADD COLUMN account_id INT UNSIGNED NOT NULL DEFAULT 0 AFTER lane,
    ADD KEY due_lane (kind, lane, account_id, id);
UPDATE due d JOIN job j ON j.id = d.job_id SET d.lane = j.model, d.account_id = j.account_id;
-- A submit on its way has a kind of its own (7): somebody died there once it comes due.
UPDATE due d JOIN job j ON j.id = d.job_id SET d.kind = 7 WHERE d.kind = 1 AND j.stage = 2;

-- What the operator and our own experience say of a provider; no row: nothing. breaker: enum breaker_state,
-- park_reason: enum remote_reason.
CREATE TABLE provider_state (
    provider        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    paused_us       BIGINT NULL,
    parked_until_us BIGINT NULL,
    park_reason     TINYINT UNSIGNED NOT NULL DEFAULT 0,
    breaker         TINYINT UNSIGNED NOT NULL DEFAULT 0,
    breaker_us      BIGINT NULL,
    opened_n        INT UNSIGNED NOT NULL DEFAULT 0,
    CONSTRAINT provider_breaker CHECK (breaker BETWEEN 0 AND 2)
) ENGINE = InnoDB;

-- Public keys of providers that sign with them: fetched by the sweeper, so that handlers call nobody. wanted_us: a
-- callback came that none of them fits.
CREATE TABLE provider_keys (
    provider   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    jwks       MEDIUMTEXT NULL,
    fetched_us BIGINT NULL,
    tried_us   BIGINT NULL,
    wanted_us  BIGINT NULL
) ENGINE = InnoDB;

-- How a model has done lately, from attempts; written by the sweeper. Milliseconds from acceptance.
CREATE TABLE model_weather (
    model         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    n             INT UNSIGNED NOT NULL,
    good_n        INT UNSIGNED NOT NULL,
    start_p50_ms  BIGINT NULL,
    start_p90_ms  BIGINT NULL,
    finish_p50_ms BIGINT NULL,
    finish_p90_ms BIGINT NULL,
    computed_us   BIGINT NOT NULL
) ENGINE = InnoDB;
