-- Of the numbers of which no reading came, none is forgotten where they lie in very many pieces.

create function merged_ranges(numbers nummultirange, most integer) returns nummultirange
language plpgsql immutable parallel safe as $$
begin
    if not has_more_ranges(numbers, most) then
        return numbers;
    end if;
    -- All that first_ranges would leave out is covered by one more range, from its beginning to its end.
    return first_ranges(numbers, most) + nummultirange(range_merge(numbers - first_ranges(numbers, most)));
end $$;
comment on column sequence.unread is
    'Those of received of which no reading came: all that we have of them is in quarantine. Of very many pieces the last '
    'are one, and numbers between them that were read are then among them.';
