-- The first tables of the resident store. Frozen: later changes are migrations of their own.

CREATE TABLE channel (
    municipality_code TEXT NOT NULL,
    last_sequence INTEGER DEFAULT '0' NOT NULL,
    last_notice_no BIGINT DEFAULT '0' NOT NULL,
    last_received_at TIMESTAMP WITH TIME ZONE,
    last_attempt_at TIMESTAMP WITH TIME ZONE,
    last_contact_at TIMESTAMP WITH TIME ZONE,
    last_failure_code TEXT,
    gap_since TIMESTAMP WITH TIME ZONE,
    unknown_files INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT channel_pkey PRIMARY KEY (municipality_code)
);

CREATE TABLE current (
    notified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    event_date DATE,
    resident_code TEXT NOT NULL,
    name TEXT,
    name_kana TEXT,
    former_name TEXT,
    former_name_kana TEXT,
    alias TEXT,
    birth_date TEXT NOT NULL,
    sex TEXT,
    municipality_code TEXT,
    address TEXT,
    is_foreign BOOLEAN NOT NULL,
    name_gaiji SMALLINT NOT NULL,
    address_gaiji SMALLINT NOT NULL,
    previous_resident_code TEXT,
    number_sealed BYTEA,
    number_index BYTEA,
    search_key TEXT,
    record_digest BYTEA NOT NULL,
    sender_code TEXT NOT NULL,
    notice_no BIGINT NOT NULL,
    package_id BIGINT NOT NULL,
    received_on DATE NOT NULL,
    expires_on DATE,
    CONSTRAINT current_pkey PRIMARY KEY (resident_code),
    CONSTRAINT current_only_deletion_expires CHECK ((kind = 'deletion') = (expires_on IS NOT NULL)),
    CONSTRAINT current_number_pair CHECK ((number_sealed IS NULL) = (number_index IS NULL))
);

CREATE INDEX current_number_erased_idx ON current (number_index) WHERE kind = 'deletion';

CREATE UNIQUE INDEX current_number_standing_key ON current (number_index) WHERE kind <> 'deletion';

CREATE INDEX current_package_id_idx ON current USING brin (package_id);

CREATE TABLE former_code (
    resident_code TEXT NOT NULL,
    new_code TEXT NOT NULL,
    sender_code TEXT NOT NULL,
    notice_no BIGINT NOT NULL,
    package_id BIGINT NOT NULL,
    CONSTRAINT former_code_pkey PRIMARY KEY (resident_code)
);

CREATE INDEX former_code_new_code_idx ON former_code (new_code);

CREATE TABLE history (
    notified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    event_date DATE,
    resident_code TEXT NOT NULL,
    name TEXT,
    name_kana TEXT,
    former_name TEXT,
    former_name_kana TEXT,
    alias TEXT,
    birth_date TEXT NOT NULL,
    sex TEXT,
    municipality_code TEXT,
    address TEXT,
    is_foreign BOOLEAN NOT NULL,
    name_gaiji SMALLINT NOT NULL,
    address_gaiji SMALLINT NOT NULL,
    previous_resident_code TEXT,
    number_sealed BYTEA,
    number_index BYTEA,
    search_key TEXT,
    record_digest BYTEA NOT NULL,
    sender_code TEXT NOT NULL,
    notice_no BIGINT NOT NULL,
    package_id BIGINT NOT NULL,
    received_on DATE NOT NULL,
    superseded_on DATE NOT NULL,
    superseded_by_sender_code TEXT NOT NULL,
    superseded_by_notice_no BIGINT NOT NULL,
    superseded_by_package_id BIGINT NOT NULL,
    expires_on DATE NOT NULL,
    CONSTRAINT history_pkey PRIMARY KEY (sender_code, notice_no),
    CONSTRAINT history_number_pair CHECK ((number_sealed IS NULL) = (number_index IS NULL))
);

CREATE INDEX history_expires_on_idx ON history USING brin (expires_on);

CREATE INDEX history_number_index_idx ON history (number_index) WHERE number_index IS NOT NULL;

CREATE INDEX history_package_id_idx ON history USING brin (package_id);

CREATE INDEX history_resident_code_idx ON history (resident_code);

CREATE TABLE journal (
    entry_no BIGINT NOT NULL,
    entry TEXT NOT NULL,
    leaf_hash BYTEA NOT NULL,
    frontier BYTEA NOT NULL,
    recorded_at TEXT GENERATED ALWAYS AS ((entry::jsonb ->> 'recorded_at')) STORED,
    action TEXT GENERATED ALWAYS AS ((entry::jsonb ->> 'action')) STORED,
    actor TEXT GENERATED ALWAYS AS ((entry::jsonb ->> 'actor')) STORED,
    municipality_code TEXT GENERATED ALWAYS AS ((entry::jsonb ->> 'municipality_code')) STORED,
    outcome TEXT GENERATED ALWAYS AS ((entry::jsonb ->> 'outcome')) STORED,
    CONSTRAINT journal_pkey PRIMARY KEY (entry_no),
    CONSTRAINT journal_counts_from_one CHECK (entry_no > 0)
);

CREATE TABLE outbox (
    package_id BIGINT NOT NULL,
    changes INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT outbox_pkey PRIMARY KEY (package_id)
);

CREATE TABLE package (
    package_id BIGINT GENERATED ALWAYS AS IDENTITY,
    municipality_code TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    file_bytes BIGINT NOT NULL,
    file_sha256 BYTEA NOT NULL,
    remote_modified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    content_sha256 BYTEA,
    created_at TIMESTAMP WITH TIME ZONE,
    first_notice_no BIGINT,
    last_notice_no BIGINT,
    records INTEGER,
    accepted INTEGER,
    alerted INTEGER,
    rejected INTEGER,
    repeated INTEGER,
    receipt BYTEA,
    receipt_sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT package_pkey PRIMARY KEY (package_id),
    CONSTRAINT package_state CHECK (state IN ('received', 'applied', 'refused', 'repeated', 'conflict', 'released', 'replaced'))
);

CREATE UNIQUE INDEX package_applied_key ON package (municipality_code, sequence) WHERE state = 'applied';

CREATE INDEX package_channel_idx ON package (municipality_code, sequence);

CREATE UNIQUE INDEX package_received_key ON package (municipality_code, sequence) WHERE state = 'received';

CREATE TABLE quarantine (
    package_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    record_sealed BYTEA NOT NULL,
    CONSTRAINT quarantine_pkey PRIMARY KEY (package_id, line)
);

CREATE TABLE rejection (
    package_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    code TEXT NOT NULL,
    column_name TEXT NOT NULL,
    severity TEXT NOT NULL,
    notice_no BIGINT,
    CONSTRAINT rejection_pkey PRIMARY KEY (package_id, line, code, column_name),
    CONSTRAINT rejection_severity CHECK (severity IN ('error', 'alert'))
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
