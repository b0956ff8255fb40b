"""Everything measured once for each picture and each sample; decides nothing."""
