-- The one way from a 住民票コード to a 個人番号 across the stores (assessment M6, 法30条の44の6第3項).
-- SQLSTATE JB001: the provision is not approved for the bridge, or its approval is closed.
-- SQLSTATE JB002: the codes are not those that were approved.
-- SQLSTATE JB003: a crossing that the operation log of this store does not tell of.
CREATE FUNCTION bridge_numbers(wanted_provision bigint, codes text[])
    RETURNS TABLE (line integer, sealed_for text, number_sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    approved record;
BEGIN
    SELECT * INTO approved FROM public.crossing c
        WHERE c.provision_id = wanted_provision AND c.closed_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open approval' USING ERRCODE = 'JB001';
    END IF;
    IF approved.codes_digest <> sha256(convert_to(array_to_string(codes, ','), 'UTF8'))
        OR approved.codes <> cardinality(codes)
    THEN
        RAISE EXCEPTION 'other codes than approved' USING ERRCODE = 'JB002';
    END IF;
    UPDATE public.crossing c SET crossings = c.crossings + 1 WHERE c.provision_id = wanted_provision;
    RETURN QUERY
        SELECT asked.line::integer, held.resident_code, held.number_sealed
        FROM unnest(codes) WITH ORDINALITY AS asked (code, line)
        LEFT JOIN public.former_code former ON former.resident_code = asked.code
        JOIN public.current held ON held.resident_code = coalesce(former.new_code, asked.code)
        WHERE held.number_sealed IS NOT NULL;
END $$;

REVOKE ALL ON FUNCTION bridge_numbers(bigint, text[]) FROM PUBLIC;

CREATE FUNCTION refuse_unlogged_crossing() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.crossings > OLD.crossings AND NOT EXISTS (
        SELECT FROM public.journal WHERE action = 'bridge.crossed' AND xmin = pg_current_xact_id()::xid
            AND entry::jsonb ->> 'provision' = 'F' || NEW.provision_id
    ) THEN
        RAISE EXCEPTION 'a crossing without an entry' USING ERRCODE = 'JB003';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER crossing_is_logged AFTER UPDATE ON crossing
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unlogged_crossing();
