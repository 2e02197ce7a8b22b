-- Every callback with its verdict: forged and unknown ones too, within a budget, and enough of each to process it again.
ALTER TABLE callback_receipt
    ADD COLUMN attempt_id BIGINT NULL AFTER job_id,
    -- 1: its signature was good; a replay believes it as it was believed then.
    ADD COLUMN is_signed TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER attempt_id,
    -- Headers that the adapter reads besides the body: webhook-id and the like, as JSON.
    ADD COLUMN headers VARCHAR(1000) NULL AFTER request_id,
    MODIFY COLUMN body BLOB NULL,
    ADD KEY receipt_verdict (verdict, received_us);
