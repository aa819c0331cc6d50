-- Finding movies and people by what somebody types. {table} is catalog.search or catalog.people, {words} its words.

-- name: tokens
-- The words of what was typed, each with whether a title has it and whether one has a word that begins with it.
select t.word, w.word is not null as is_known,
       exists (select from {words} p
                where p.word >= t.word collate "C" and p.word < (t.word || U&'\FFFF') collate "C") as begins_one
  from unnest(string_to_array(nullif(reelbase.words(%(typed)s), ''), ' ')) with ordinality t(word, place)
  left join {words} w on w.word = t.word collate "C"
 order by t.place;

-- name: alike
-- What may have been meant by a word that no title has: the most similar ones, well-known ones before others.
select w.word
  from {words} w
 where w.word operator({trigrams}.%%) %(word)s
 order by {trigrams}.similarity(w.word, %(word)s) + ln(w.votes::double precision + 2) / 100 desc, w.word
 limit 6;

-- name: movies
-- Few matches: all of them are found by their words, and ranked. Of too many, nothing but that: {too_many} and one more.
with asked as (
    select {query}::tsquery as query, reelbase.words({typed}) collate "C" as words
), matched as materialized (
    select s.id, s.votes, s.type, s.adult from catalog.search s
     where s.document @@ {query}::tsquery limit {too_many} + 1
), passing as materialized (
    select {found}.id, {found}.votes from matched {found} {joined}
     where (select count(*) from matched) <= {too_many} and {where}
), candidates as (
    (select id from passing order by votes desc nulls last, id limit {window})
    union
    {namesakes}
), ranked as (
    {ranked}
)
select (select count(*) from matched) as matches, (select count(*) from passing) as passed, r.* from (values (1)) one left join ranked r on true
 order by r.relevance desc nulls last, r.id;

-- name: movies_by_votes
-- Many matches: the best known movies are looked at until enough of them match.
with asked as (
    select {query}::tsquery as query, reelbase.words({typed}) collate "C" as words
), candidates as (
    (select {found}.id from catalog.search {found} {joined}
      where {found}.document @@ {query}::tsquery and {where}
      order by {found}.votes desc nulls last, {found}.id limit {window})
    union
    {namesakes}
)
{ranked};

-- name: count
select count(*) from (select from catalog.search {found} {joined}
                       where {found}.document @@ {query}::tsquery and {where} limit {limit}) counted;

-- name: estimate
explain select from catalog.search {found} {joined} where {found}.document @@ {query}::tsquery and {where};

-- name: namesakes
-- Movies whose whole title was typed.
(select {found}.id from catalog.search {found} {joined}
  where {found}.title_key = (select words from asked) and {where}
  order by {found}.votes desc nulls last, {found}.id limit 100)

-- name: ranked
select m.*,
       case when s.title_key = a.words then 6
            when starts_with(s.title_key, a.words || ' ') then 3
            when starts_with(s.title_key, a.words) then 2.5
            when ts_filter(s.document, array['a']::"char"[]) @@ a.query then 2
            when ts_filter(s.document, array['a', 'b']::"char"[]) @@ a.query then 1.5
            else 0 end
       + ln(coalesce(s.votes, 0)::double precision + 1) + 2.0 * length(a.words) / greatest(length(s.title_key), length(a.words), 1)
           as relevance
  from candidates c
  join catalog.search s on s.id = c.id
  join catalog.movies m on m.id = c.id
 cross join asked a
 order by relevance desc, m.id
 limit {limit} offset {offset};

-- name: by_words
-- The plan for few matches: PostgreSQL's estimate for several words is off by a factor of ten and more.
select set_config('enable_seqscan', 'off', true);

-- name: by_votes
select set_config('enable_bitmapscan', 'off', true);

-- name: people
with asked as (
    select {query}::tsquery as query, reelbase.words({typed}) collate "C" as words
), candidates as (
    (select p.nconst from catalog.people p where p.document @@ (select query from asked)
      order by p.votes desc, p.nconst limit {window})
    union
    (select p.nconst from catalog.people p where p.name_key = (select words from asked)
      order by p.votes desc, p.nconst limit 100)
)
select p.nconst, p.name, p.birth_year, p.death_year, p.professions, p.known_for,
       case when p.name_key = a.words then 6 when starts_with(p.name_key, a.words) then 3 else 0 end
       + ln(p.votes::double precision + 1) as relevance
  from candidates c
  join catalog.people p on p.nconst = c.nconst
 cross join asked a
 order by relevance desc, p.nconst
 limit {limit} offset {offset};
