import type { Migration } from '@tidings/core';

/**
 * One round trip each. They are functions because under READ COMMITTED a function's every statement sees what committed before it: what an arrival
 * wrote while somebody waited for the key's row is seen by the statement after the lock, and would not be by the rest of one statement.
 *
 * - `park_key`: the head of a key that is not parked yet. `parked`, or `full` when the place has `max_keys`. A key that is parked meanwhile (by a
 *   process that was paused, say) takes the message as a follower.
 * - `follow_parked_key`: a message of a key. `free`: not parked, or no more once its row was locked. `parked`: durable, behind what came before.
 *   `head`: it is the dead head's own copy, whose burial or settlement was cut short; its dead letter has all of it. `full`: too many wait. A
 *   later generation of the dead head is its redrive, come by another way: it takes the head's place.
 * - `leave_parked_key`: the head is done. `lost`: another process has the key. `next`: another is the head now. `unparked`: nobody waits, and the
 *   row is gone, under the lock that arrivals share.
 * - `resume_parked_key`: see KeyParking. A head that was resumed and is not settled yet is resumed no second time, unless by a later generation (its
 *   letter was edited meanwhile). Wakes the releasers of other processes.
 */
export const createParkingFunctions: Migration = {
  id: 'parked-keys/0002-create-parking-functions',
  up: (s) => `
    create function ${s}.append_parked(k bigint, max_followers bigint, m_digest bytea, m_origin bytea, m_generation bigint,
        m_id text, m_envelope bytea, m_payload bytea, m_passage bytea) returns text language plpgsql as $$
    declare
      first bigint;
      last bigint;
    begin
      if exists (select from ${s}.parked_message where key_id = k and digest = m_digest) then return 'parked'; end if;
      select position into first from ${s}.parked_message where key_id = k order by position limit 1;
      select position into last from ${s}.parked_message where key_id = k order by position desc limit 1;
      if last - first >= max_followers then return 'full'; end if;
      insert into ${s}.parked_message (key_id, position, digest, origin, generation, message_id, envelope, payload, passage)
        values (k, coalesce(last, 0) + 1, m_digest, m_origin, m_generation, m_id, m_envelope, m_payload, m_passage);
      return 'parked';
    end $$;

    create function ${s}.park_key(k_identity bytea, k_direction text, k_place text, k_key text, k_state text, delay_ms float8,
        k_attempts bigint, k_reason text, max_keys bigint, max_followers bigint, m_digest bytea, m_origin bytea, m_generation bigint,
        m_id text, m_envelope bytea, m_payload bytea, m_passage bytea) returns text language plpgsql as $$
    declare
      k bigint;
    begin
      loop
        select id into k from ${s}.parked_key where identity = k_identity for share;
        if found then
          return ${s}.append_parked(k, max_followers, m_digest, m_origin, m_generation, m_id, m_envelope, m_payload, m_passage);
        end if;
        if exists (select from ${s}.parked_key where direction = k_direction and place = k_place offset max_keys - 1) then
          return 'full';
        end if;
        insert into ${s}.parked_key (identity, direction, place, key, state, due_at, attempts, reason)
          values (k_identity, k_direction, k_place, k_key, k_state,
            case when k_state = 'waiting' then ${s}.now() + delay_ms * interval '1 ms' end, k_attempts, k_reason)
          on conflict (identity) do nothing returning id into k;
        continue when k is null;
        return ${s}.append_parked(k, max_followers, m_digest, m_origin, m_generation, m_id, m_envelope, m_payload, m_passage);
      end loop;
    end $$;

    create function ${s}.follow_parked_key(k_identity bytea, max_followers bigint, m_digest bytea, m_origin bytea, m_generation bigint,
        m_id text, m_envelope bytea, m_payload bytea, m_passage bytea) returns text language plpgsql as $$
    declare
      k ${s}.parked_key;
      head ${s}.parked_message;
    begin
      select * into k from ${s}.parked_key where identity = k_identity for share;
      if not found then return 'free'; end if;
      if k.state = 'dead' then
        select * into head from ${s}.parked_message where key_id = k.id order by position limit 1;
        if head.digest = m_digest then return 'head'; end if;
        if head.origin = m_origin and head.generation < m_generation then
          update ${s}.parked_key set state = 'waiting', due_at = ${s}.now(), attempts = 0, epoch = epoch + 1, resumed = head.digest
           where id = k.id;
          update ${s}.parked_message set digest = m_digest, generation = m_generation, envelope = m_envelope, payload = m_payload
           where key_id = k.id and position = head.position;
          return 'parked';
        end if;
      end if;
      return ${s}.append_parked(k.id, max_followers, m_digest, m_origin, m_generation, m_id, m_envelope, m_payload, m_passage);
    end $$;

    create function ${s}.leave_parked_key(k bigint, k_epoch bigint, head bigint) returns text language plpgsql as $$
    begin
      perform 1 from ${s}.parked_key where id = k and epoch = k_epoch for update;
      if not found then return 'lost'; end if;
      delete from ${s}.parked_message where key_id = k and position = head;
      if exists (select from ${s}.parked_message where key_id = k) then
        update ${s}.parked_key set attempts = 0, reason = 'follows' where id = k;
        return 'next';
      end if;
      delete from ${s}.parked_key where id = k;
      return 'unparked';
    end $$;

    create function ${s}.resume_parked_key(k_identity bytea, channel text, h_digest bytea, h_origin bytea, m_digest bytea, m_origin bytea,
        m_generation bigint, m_id text, m_envelope bytea, m_payload bytea, m_passage bytea) returns text language plpgsql as $$
    declare
      k ${s}.parked_key;
      head ${s}.parked_message;
    begin
      select * into k from ${s}.parked_key where identity = k_identity for update;
      if not found then return 'not-parked'; end if;
      select * into head from ${s}.parked_message where key_id = k.id order by position limit 1;
      if head.origin <> h_origin then return 'not-parked'; end if;
      if k.state <> 'dead' or head.digest <> h_digest then
        if k.resumed is distinct from h_digest then return 'not-parked'; end if;
        if m_generation <= head.generation then return 'resumed'; end if;
      end if;
      if m_digest is null then
        delete from ${s}.parked_message where key_id = k.id and position = head.position;
      else
        update ${s}.parked_message set digest = m_digest, origin = m_origin, generation = m_generation, message_id = m_id,
            envelope = m_envelope, payload = m_payload where key_id = k.id and position = head.position;
      end if;
      if exists (select from ${s}.parked_message where key_id = k.id) then
        update ${s}.parked_key set state = 'waiting', due_at = ${s}.now(), attempts = 0, epoch = epoch + 1, resumed = h_digest
         where id = k.id;
      else
        delete from ${s}.parked_key where id = k.id;
      end if;
      perform pg_notify(channel, k.direction);
      return 'resumed';
    end $$;`,
};
