-- The lake's database and schema, where there are none; data stays.
create database if not exists CUST360;
create schema if not exists CUST360.PUBLIC;
