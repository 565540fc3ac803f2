//! `trades.parquet`, `settlement.parquet` and `settlement.csv`: integers in the units that are settled.
//!
//! Energy columns are mJ (`_mj`), money columns millionths of the currency (`_micro`), prices millionths per kWh. The
//! CSV twin writes money as exact decimals of the currency and energy as kWh with six decimals, for spreadsheets.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tieline_contract::settlement::{MemberEntry, Settlement};

use crate::run::Sink;
use crate::run::settle::Settled;
use crate::run::stage::Slot;

/// Rows that are kept before they are written as a row group.
const ROWS_PER_GROUP: usize = 65_536;

const TRADES: &str = "message trades {
  required int64 interval_start (TIMESTAMP(MILLIS,true));
  required int64 interval_minutes;
  required int64 level;
  required int64 quantity_mj;
  required int64 price_micro_per_kwh;
  required int64 seller_price_micro_per_kwh;
  required int64 bond_micro;
  required int64 deadline (TIMESTAMP(MILLIS,true));
  required int64 gate_closure (TIMESTAMP(MILLIS,true));
  required int64 settled_mj;
  required int64 short_mj;
  required int64 payment_micro;
  required int64 to_seller_micro;
  required int64 to_aggregator_micro;
  required int64 penalty_micro;
  required binary order_id (STRING);
  required binary seller (STRING);
  required binary buyer (STRING);
  required binary state (STRING);
}";

const SETTLEMENT: &str = "message settlement {
  required int64 interval_start (TIMESTAMP(MILLIS,true));
  required int64 sold_mj;
  required int64 bought_mj;
  required int64 exported_mj;
  required int64 imported_mj;
  required int64 sales_micro;
  required int64 purchases_micro;
  required int64 grid_export_micro;
  required int64 grid_import_micro;
  required int64 penalties_micro;
  required int64 balance_micro;
  required int64 balance_alone_micro;
  required binary party (STRING);
  required binary currency (STRING);
}";

/// First line of `settlement.csv`.
pub const CSV_HEADER: &str = "interval_start_utc,party,sold_kwh,bought_kwh,exported_kwh,imported_kwh,sales,purchases,\
                          grid_export,grid_import,penalties,balance,balance_alone,currency\n";

/// A Parquet file of integer columns followed by text columns, filled row by row.
struct Table {
    writer: SerializedFileWriter<File>,
    integers: Vec<Vec<i64>>,
    texts: Vec<Vec<ByteArray>>,
    rows: usize,
}

impl Table {
    fn new(path: &Path, schema: &str, texts: usize) -> anyhow::Result<Table> {
        let schema = Arc::new(parse_message_type(schema)?);
        let integers = schema.get_fields().len() - texts;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("tieline".to_owned())
            .set_encoding(Encoding::PLAIN)
            .build();
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Table {
            writer: SerializedFileWriter::new(file, schema, Arc::new(properties))?,
            integers: vec![Vec::new(); integers],
            texts: vec![Vec::new(); texts],
            rows: 0,
        })
    }

    fn push<const I: usize, const T: usize>(
        &mut self,
        integers: [i64; I],
        texts: [&str; T],
    ) -> anyhow::Result<()> {
        for (column, value) in self.integers.iter_mut().zip(integers) {
            column.push(value);
        }
        for (column, value) in self.texts.iter_mut().zip(texts) {
            column.push(ByteArray::from(value));
        }
        self.rows += 1;
        if self.rows == ROWS_PER_GROUP {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.integers {
            let mut writer = group
                .next_column()?
                .context("fewer columns than the schema has")?;
            writer
                .typed::<Int64Type>()
                .write_batch(column, None, None)?;
            writer.close()?;
            column.clear();
        }
        for column in &mut self.texts {
            let mut writer = group
                .next_column()?
                .context("fewer columns than the schema has")?;
            writer
                .typed::<ByteArrayType>()
                .write_batch(column, None, None)?;
            writer.close()?;
            column.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        self.writer.close()?;
        Ok(())
    }
}

/// Writes the three tables.
pub struct Tables {
    trades: Table,
    settlement: Table,
    csv: BufWriter<File>,
}

impl Tables {
    /// Into this output folder.
    ///
    /// # Errors
    /// When a file cannot be created.
    pub fn new(out: &Path) -> anyhow::Result<Tables> {
        let path = out.join("settlement.csv");
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut csv = BufWriter::new(file);
        csv.write_all(CSV_HEADER.as_bytes())?;
        Ok(Tables {
            trades: Table::new(&out.join("trades.parquet"), TRADES, 4)?,
            settlement: Table::new(&out.join("settlement.parquet"), SETTLEMENT, 2)?,
            csv,
        })
    }

    /// Completes the files.
    ///
    /// # Errors
    /// When the last rows cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.csv.flush()?;
        self.trades.finish()?;
        self.settlement.finish()
    }

    fn trade(&mut self, slot: &Slot<'_>, settled: &Settled, index: usize) -> anyhow::Result<()> {
        let placed = &settled.concluded.ordered.orders[index];
        let confirmed = settled.confirmed.binary_search(&index).ok();
        let result = confirmed.map_or(Settlement::default(), |at| settled.settlement.orders[at]);
        let state = settled.concluded.conclusions[index].outcome.as_str();
        let terms = &placed.order.terms;
        let id = |member: usize| slot.scenario.microgrids[member].id.as_str();
        let time = |time: tieline_units::Time| time.as_millis() as i64;
        self.trades.push(
            [
                time(slot.interval.start),
                slot.interval.length.minutes() as i64,
                placed.level as i64,
                terms.quantity.as_millijoules(),
                terms.price.as_millionths(),
                terms.seller_price.as_millionths(),
                terms.bond.as_millionths(),
                time(placed.deadline),
                time(placed.gate_closure),
                result.settled.as_millijoules(),
                result.short.as_millijoules(),
                result.payment.as_millionths(),
                result.to_seller.as_millionths(),
                result.to_aggregator.as_millionths(),
                result.penalty.as_millionths(),
            ],
            [
                &placed.id,
                id(placed.order.seller),
                id(placed.order.buyer),
                state,
            ],
        )
    }

    fn party(&mut self, slot: &Slot<'_>, party: &str, line: &Line) -> anyhow::Result<()> {
        let Line {
            entry,
            balance,
            alone,
        } = line;
        let currency = slot.grid.currency.to_string();
        self.settlement.push(
            [
                slot.interval.start.as_millis() as i64,
                entry.sold.as_millijoules(),
                entry.bought.as_millijoules(),
                entry.exported.as_millijoules(),
                entry.imported.as_millijoules(),
                entry.sales.as_millionths(),
                entry.purchases.as_millionths(),
                entry.grid_export.as_millionths(),
                entry.grid_import.as_millionths(),
                entry.penalties.as_millionths(),
                balance.as_millionths(),
                alone.as_millionths(),
            ],
            [party, &currency],
        )?;
        writeln!(
            self.csv,
            "{},{party},{},{},{},{},{},{},{},{},{},{balance},{alone},{currency}",
            slot.interval.start,
            entry.sold.to_kilowatt_hours(),
            entry.bought.to_kilowatt_hours(),
            entry.exported.to_kilowatt_hours(),
            entry.imported.to_kilowatt_hours(),
            entry.sales,
            entry.purchases,
            entry.grid_export,
            entry.grid_import,
            entry.penalties,
        )?;
        Ok(())
    }
}

/// A party's line in the settlement table.
struct Line {
    entry: MemberEntry,
    balance: tieline_units::Money,
    alone: tieline_units::Money,
}

/// The aggregator's name among the parties; no member's id can have a colon.
pub const AGGREGATOR: &str = "vpp:aggregator";
/// The grid's.
pub const GRID: &str = "vpp:grid";

impl Sink for Tables {
    fn take(&mut self, slot: &Slot<'_>, settled: &Settled) -> anyhow::Result<()> {
        for index in 0..settled.concluded.ordered.orders.len() {
            self.trade(slot, settled, index)?;
        }
        for (member, entry) in settled.settlement.members.iter().enumerate() {
            let alone = settled.alone.members[member].balance();
            let line = Line {
                entry: *entry,
                balance: entry.balance(),
                alone,
            };
            self.party(slot, slot.scenario.microgrids[member].id.as_str(), &line)?;
        }
        let other = |balance, alone| Line {
            entry: MemberEntry::default(),
            balance,
            alone,
        };
        let (run, alone) = (&settled.settlement, &settled.alone);
        self.party(slot, AGGREGATOR, &other(run.aggregator, alone.aggregator))?;
        self.party(slot, GRID, &other(run.grid, alone.grid))
    }
}
