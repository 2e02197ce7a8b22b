-- What the made-up jobs of the accounts from @account on hold and keep. Read by fill.sql and polls.sql.
INSERT INTO account_use (account_id, balance_micro, outstanding_n, storage_bytes)
    SELECT a.id, -(SELECT IFNULL(SUM(IF(l.kind = 1, l.amount_micro, IF(l.kind = 3, -l.amount_micro, 0))), 0)
            FROM ledger l WHERE l.account_id = a.id),
        (SELECT COUNT(*) FROM job j WHERE j.account_id = a.id AND j.state < 4),
        (SELECT IFNULL(SUM(o.bytes), 0) FROM job j JOIN output o ON o.job_id = j.id WHERE j.account_id = a.id)
    FROM account a WHERE a.id >= @account;
