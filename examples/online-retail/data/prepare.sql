-- How online_retail_2009_2010.parquet was made from the rows of UCI Online Retail II, sheet "Year 2009-2010".
-- Run with DuckDB in this folder, with the source rows in source.parquet.
-- All rows are kept, in their order. Two things differ from the source:
--   price   is the decimal number that was printed (the source file held 32-bit floats),
--   amount  is added: quantity * price in GBP, rounded to pence; negative on returns.
copy (
  select user_id, ts, event, invoice, sku, quantity, printed as price,
         cast(round(cast(quantity as decimal(18, 3)) * cast(printed as decimal(18, 3)), 2) as double) as amount,
         country
  from (select *, cast(cast(price as varchar) as double) as printed from 'source.parquet')
) to 'online_retail_2009_2010.parquet'
  (format parquet, compression zstd, compression_level 19, row_group_size 500000);
