-- Each program's database user, with the least its statements need (tests/store/statements_test.c prepares every
-- program's statements as its user). filmgate migrate runs the part of a user whose password it is given; running
-- it again takes back what is no longer listed. No user may change the schema or another program's books.

-- @web
CREATE USER IF NOT EXISTS 'fg_web'@'{{host}}';
ALTER USER 'fg_web'@'{{host}}' IDENTIFIED BY '{{password}}' {{transport}};
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.schema_migration TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.account TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.api_key TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.plan TO 'fg_web'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.account_use TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.quote TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.cost_outcome TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, DELETE ON `{{database}}`.session TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.job TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT ON `{{database}}`.job_event TO 'fg_web'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.attempt TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.due TO 'fg_web'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.output TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT ON `{{database}}`.ledger TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.ledger_audit TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.callback_receipt TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.idempotency TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.heartbeat TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.clock TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.provider_state TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.provider_keys TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.model_weather TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.webhook_endpoint TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.webhook_secret TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.webhook_message TO 'fg_web'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.webhook_delivery TO 'fg_web'@'{{host}}';
GRANT SELECT ON `{{database}}`.webhook_attempt TO 'fg_web'@'{{host}}';

-- @sweeper
CREATE USER IF NOT EXISTS 'fg_sweeper'@'{{host}}';
ALTER USER 'fg_sweeper'@'{{host}}' IDENTIFIED BY '{{password}}' {{transport}};
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE (expires_us), DELETE ON `{{database}}`.session TO 'fg_sweeper'@'{{host}}';
GRANT SELECT (id, plan_id, public_id, currency) ON `{{database}}`.account TO 'fg_sweeper'@'{{host}}';
GRANT SELECT ON `{{database}}`.plan TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.account_use TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, DELETE ON `{{database}}`.quote TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.cost_outcome TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.job TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT ON `{{database}}`.job_event TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.attempt TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE, DELETE ON `{{database}}`.due TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT ON `{{database}}`.output TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, DELETE ON `{{database}}`.callback_receipt TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT ON `{{database}}`.ledger TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE ON `{{database}}`.ledger_audit TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, DELETE ON `{{database}}`.idempotency TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.heartbeat TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.clock TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.provider_state TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.provider_keys TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.model_weather TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE, DELETE ON `{{database}}`.webhook_endpoint TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, UPDATE (expires_us), DELETE ON `{{database}}`.webhook_secret TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, DELETE ON `{{database}}`.webhook_message TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, UPDATE ON `{{database}}`.webhook_delivery TO 'fg_sweeper'@'{{host}}';
GRANT SELECT, INSERT, DELETE ON `{{database}}`.webhook_attempt TO 'fg_sweeper'@'{{host}}';

-- @studio
CREATE USER IF NOT EXISTS 'fg_studio'@'{{host}}';
ALTER USER 'fg_studio'@'{{host}}' IDENTIFIED BY '{{password}}' {{transport}};
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'fg_studio'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.studio_video TO 'fg_studio'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.studio_delivery TO 'fg_studio'@'{{host}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON `{{database}}`.studio_clock TO 'fg_studio'@'{{host}}';
