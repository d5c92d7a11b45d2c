"""The record: tables, migrations, repositories and the unit of work. The only place that imports sqlalchemy."""
