//! The picture: utilisation of products of cubes, by size.

use std::path::Path;

use plotters::prelude::*;

use crate::{ARRAYS, Row};

const SIZE: (u32, u32) = (720, 400);

/// Draws a line for each array.
///
/// # Errors
/// The file cannot be written.
pub fn draw(file: &Path, rows: &[Row]) -> Result<(), String> {
    paint(file, rows).map_err(|error| format!("{}: {error}", file.display()))
}

fn paint(file: &Path, rows: &[Row]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let cubes: Vec<u32> = rows.iter().filter_map(|row| row.work.cube).collect();
    let (least, most) = (cubes.iter().copied().min().unwrap_or(1), cubes.iter().copied().max().unwrap_or(1));
    let mut chart = ChartBuilder::on(&area)
        .caption("Products of n x n by n x n out of external memory", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d((f64::from(least)..f64::from(most)).log_scale().base(2.0), 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("n")
        .y_desc("% of the array's products")
        .x_label_formatter(&|n| format!("{n:.0}"))
        .y_label_formatter(&|percent| format!("{percent:.0}"))
        .draw()?;
    let colours = [RGBColor(200, 90, 40), RGBColor(30, 90, 170), RGBColor(60, 140, 70)];
    for (number, ((size, kilobytes), colour)) in ARRAYS.into_iter().zip(colours).enumerate() {
        let points: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|row| {
                let (cube, measured) = (row.work.cube?, row.on[number].as_ref()?);
                Some((f64::from(cube), 100.0 * row.work.utilisation(measured.cycles, size)))
            })
            .collect();
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(format!("{size}x{size}, {kilobytes} KiB"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
