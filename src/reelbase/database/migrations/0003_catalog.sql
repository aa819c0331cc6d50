-- The catalog: one movie over every dataset. What outlives its releases is here: the ids of movies, the movies that
-- people add, and which release is live; and the functions that turn titles into something to compare.

create extension if not exists pg_trgm schema public;
create extension if not exists unaccent schema public;

create table reelbase.movie_ids (
    source     text not null check (source in ('imdb', 'movielens', 'tmdb')),
    source_id  text not null,
    id         uuid not null default gen_random_uuid(),
    seen       bigint not null generated always as identity,
    primary key (source, source_id)
);
create index on reelbase.movie_ids (id);
comment on table reelbase.movie_ids is 'The id that each source''s movie got when it was first seen; a movie of several sources answers to the oldest of them, and to the others by way of this table';

create table reelbase.own_movies (
    id          uuid primary key default gen_random_uuid(),
    title       text not null check (title <> ''),
    year        integer,
    runtime     integer,
    genres      text[] not null default '{}',
    language    text,
    overview    text,
    imdb_id     text unique,
    rating      double precision check (rating between 0 and 10),
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
comment on table reelbase.own_movies is 'Movies that people have added; every release of the catalog shows them';

create table reelbase.catalog_releases (
    id            bigint generated always as identity primary key,
    sources       jsonb not null,
    import_id     bigint references reelbase.imports on delete set null,
    movies        bigint,
    checks        jsonb not null default '[]',
    published_at  timestamptz
);
comment on column reelbase.catalog_releases.sources is 'The release of each dataset that it was built from';

create table reelbase.catalog (
    only_row  boolean primary key default true check (only_row),
    live      bigint references reelbase.catalog_releases,
    previous  bigint references reelbase.catalog_releases,
    version   bigint not null default 0
);
insert into reelbase.catalog default values;
comment on column reelbase.catalog.version is 'Raised by every publish and every change of an own movie';

-- unaccent() looks its dictionary up by the search path unless both are named with their schema.
do $do$
declare
    place text := (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                    where e.extname = 'unaccent');
begin
    execute format($sql$
        create function reelbase.plain(text) returns text stable parallel safe language sql
        as 'select lower(%1$s.unaccent(''%1$s.unaccent''::regdictionary, $1))'
    $sql$, place);
end
$do$;
comment on function reelbase.plain is 'Lower case, without accents. Not immutable (its dictionary may change), so that PostgreSQL puts its body in place of the call';

create function reelbase.words(text) returns text stable parallel safe language sql
as $$ select btrim(regexp_replace(translate(reelbase.plain($1), '''`´’‘', ''), '[^[:alnum:]]+', ' ', 'g')) $$;
comment on function reelbase.words is 'The words of a title and nothing else: what is searched for and compared';

create function reelbase.title_sort(text) returns text stable parallel safe language sql
as $$
select regexp_replace(
           coalesce(nullif(regexp_replace(reelbase.plain($1), '^[^[:alnum:]]+', ''), ''), reelbase.plain($1)),
           '^(the|a|an) (.+)$', '\2, \1')
$$;
comment on function reelbase.title_sort is 'What titles are sorted by: The Matrix under m';

create function reelbase.article_in_front(text) returns text immutable parallel safe language sql
as $$
select case when $1 ~ ', [[:alpha:]]{1,5}''?$'
       then regexp_replace(
                regexp_replace($1, '^(.+), (L''|L’)$', '\2\1'),
                '^(.+), (The|A|An|Les|Le|La|Los|Las|El|Der|Die|Das|Den|Det|De|Il|Lo|Gli|I|Un|Una|Une|Uno|Ein|Eine|En|Et|Ett|O|Os|As|Het|Een|Al)$',
                '\2 \1')
       else $1 end
$$;
comment on function reelbase.article_in_front is '`Misérables, Les` → `Les Misérables`';

-- `Legend of 1900, The (a.k.a. Legend of the Pianist) (Leggenda del pianista, La) (1998)` → `The Legend of 1900`, 1998,
-- and the titles in the brackets. A title that has no `(YYYY)` at its end stays whole. Brackets belong to the title itself
-- unless an article was moved before or in them, or they say a.k.a.: `Birdman: Or (The Unexpected Virtue of Ignorance)`.
create function reelbase.split_title(given text, out title text, out year integer, out others text[])
stable parallel safe language plpgsql as $$
declare
    name text := btrim(given);
    main text;
    brackets text[];
begin
    year := substring(name from '\((\d{4})\)$')::integer;
    if year is not null then
        main := rtrim(left(name, -6));
        -- `(2017) (2017)`: there are such titles.
        if right(main, 6) = '(' || year || ')' then
            main := rtrim(left(main, -6));
        end if;
        name := coalesce(nullif(main, ''), name);
    end if;
    main := btrim(left(name, length(name) - length(coalesce(substring(name from '((?:\s*\([^()]*\))+)$'), ''))));
    title := reelbase.article_in_front(main);
    others := array[]::text[];
    if main = '' then
        title := name;
    elsif main <> name then
        brackets := array(select btrim(b[1])
                            from regexp_matches(substring(name from length(main) + 1), '\(([^()]+)\)', 'g') as b);
        if title <> main or exists (select from unnest(brackets) b
                                     where b like 'a.k.a.%' or reelbase.article_in_front(b) <> b) then
            others := array(select reelbase.article_in_front(regexp_replace(b, '^a\.k\.a\.\s*', ''))
                              from unnest(brackets) b);
        else
            title := name;
        end if;
    end if;
end
$$;
comment on function reelbase.split_title is 'Title, year and other titles out of MovieLens'' one column';

-- Splitting at spaces is a third of what the parser costs, which has nothing else to find in words() either; but it would
-- refuse words of more than 2 KB.
create function reelbase.lexemes(words text) returns tsvector immutable parallel safe language sql
as $$
select case when octet_length(words) < 2000 then array_to_tsvector(string_to_array(words, ' '))
            else strip(to_tsvector('pg_catalog.simple', words)) end
$$;

create function reelbase.search_document(title text, original_title text, others text) returns tsvector
stable parallel safe language sql as $$
select setweight(to_tsvector('pg_catalog.simple', reelbase.words(title)), 'A')
    || setweight(to_tsvector('pg_catalog.simple', coalesce(reelbase.words(nullif(original_title, title)), '')), 'B')
    || coalesce(reelbase.lexemes(reelbase.words(others)), '')
$$;
comment on function reelbase.search_document is 'What a movie is found by: its title (weight A), its original title (B), its other titles';
