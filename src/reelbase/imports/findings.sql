-- What is odd about the rows of a staged table.

-- name: dates_without_day
select count(*) from {relation} where {year} is not null and {day} is null;
