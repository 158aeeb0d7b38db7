"""Makes the sample database: a made-up hospital, as a folder of csv files.

Nobody in it exists. Its columns depend on each other in ways a model should learn: weight on height and
sex, diagnoses on age and department, laboratory values on diagnoses and on the value before, cost on the
length of stay.

    python examples/sample_database.py FOLDER [PATIENTS]
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

SEED = 20_240_229
TODAY = date(2024, 6, 30)

# code, name, floor, beds
DEPARTMENTS = [
    ("CAR", "Cardiology", 2, 34),
    ("PUL", "Pulmonology", 2, 22),
    ("NEP", "Nephrology", 3, 16),
    ("END", "Endocrinology", 3, 12),
    ("ORT", "Orthopaedics", 4, 40),
    ("ONC", "Oncology", 5, 28),
    ("GER", "Geriatrics", 1, 30),
    ("MAT", "Maternity", 6, 24),
]
# department: (diagnosis code, weight)
DIAGNOSES = {
    "CAR": [("I10", 5), ("I21.4", 3), ("I48.0", 3), ("I50.1", 4), ("I25.1", 2)],
    "PUL": [("J18.9", 5), ("J44.1", 4), ("J45.0", 2), ("J96.0", 1)],
    "NEP": [("N18.3", 4), ("N17.9", 2), ("N39.0", 3)],
    "END": [("E11.9", 6), ("E10.9", 1), ("E05.0", 1), ("E66.0", 2)],
    "ORT": [("S72.0", 3), ("M16.1", 4), ("M17.1", 4), ("S82.6", 2)],
    "ONC": [("C50.9", 3), ("C34.1", 3), ("C18.7", 2), ("C61", 2)],
    "GER": [("R29.6", 3), ("F03", 3), ("I10", 3), ("N39.0", 2)],
    "MAT": [("O80", 6), ("O82", 2), ("O24.4", 1)],
}
# test: (unit, usual value, spread, diagnoses that move it, by how many spreads)
TESTS = {
    "CRP": ("mg/L", 6.0, 5.0, ("J18.9", "N39.0", "J44.1"), 14.0),
    "creatinine": ("umol/L", 78.0, 14.0, ("N18.3", "N17.9"), 9.0),
    "glucose": ("mmol/L", 5.4, 0.7, ("E11.9", "E10.9", "O24.4"), 6.0),
    "haemoglobin": ("g/dL", 13.8, 1.2, ("C18.7", "S72.0", "N18.3"), -2.5),
    "troponin": ("ng/L", 8.0, 4.0, ("I21.4", "I50.1"), 40.0),
}
CITIES = ["Trento", "Rovereto", "Pergine", "Arco", "Riva", "Mori", "Lavis", "Ala", "Borgo", "Cles"]
INSURANCES = ["public", "public+", "private"]

Row = Sequence[object]


def make_patients(rng: np.random.Generator, count: int) -> tuple[list[Row], list[dict[str, object]]]:
    """Make patients: the rows to write, and what admissions need to know."""
    rows, facts = [], []
    for number in range(count):
        sex = "F" if rng.random() < 0.53 else "M"
        age = int(np.clip(rng.normal(58, 21), 1, 99))
        born = TODAY - timedelta(days=int(age * 365.25 + rng.integers(0, 365)))
        grown = min(age, 18) / 18
        height = rng.normal(164 if sex == "F" else 177, 6.5) * (0.55 + 0.45 * grown)
        index = np.clip(rng.normal(25.5 if age > 30 else 23.0, 4.0), 15, 48)
        weight = round(float(index * (height / 100) ** 2), 1)
        smoker = (
            "" if rng.random() < 0.12 else ("yes" if rng.random() < (0.27 if sex == "M" else 0.19) else "no")
        )
        city = CITIES[int(min(rng.geometric(0.32) - 1, len(CITIES) - 1))]
        insurance = INSURANCES[int(rng.choice(3, p=[0.72, 0.18, 0.10] if age < 70 else [0.85, 0.12, 0.03]))]
        blood = str(rng.choice(["0+", "A+", "B+", "AB+", "0-", "A-", "B-", "AB-"], p=BLOOD))
        key = f"P-{10_000 + 7 * number:06}"
        measured = rng.random() > 0.08
        rows.append((key, sex, born, f"{height:.0f}" if measured else "", f"{weight:.1f}" if measured else "",
                     smoker, blood, insurance, city))  # fmt: skip
        facts.append({"key": key, "sex": sex, "age": age, "heavy": index > 29, "smoker": smoker == "yes"})
    return rows, facts


BLOOD = [0.38, 0.36, 0.08, 0.03, 0.06, 0.06, 0.02, 0.01]


def choose_department(rng: np.random.Generator, patient: dict[str, object]) -> str:
    """Choose where a patient is admitted; age, sex, weight and smoking matter."""
    age = float(str(patient["age"]))
    weights = {
        "CAR": 1 + max(0.0, age - 40) / 10,
        "PUL": 2.5 if patient["smoker"] else 1.2,
        "NEP": 0.5 + age / 100,
        "END": 2.5 if patient["heavy"] else 0.8,
        "ORT": 2.0,
        "ONC": 0.4 + age / 60,
        "GER": max(0.0, age - 68) / 6,
        "MAT": 6.0 if patient["sex"] == "F" and 18 <= age <= 42 else 0.0,
    }
    shares = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(weights), p=shares / shares.sum()))]


def make_admission(
    rng: np.random.Generator, department: str, start: datetime
) -> tuple[str, int, float, list[str], list[tuple[datetime, str, float]]]:
    """Make one stay: kind, days, cost, diagnoses and laboratory values in order of time."""
    emergency = rng.random() < {"CAR": 0.6, "PUL": 0.6, "MAT": 0.25, "ORT": 0.35}.get(department, 0.4)
    days = int(1 + rng.gamma(1.6, 2.4 if emergency else 1.6) + (5 if department == "GER" else 0))
    cost = 380.0 * days * (1.35 if emergency else 1.0) + float(rng.gamma(2.0, 300.0))
    codes, weights = zip(*DIAGNOSES[department], strict=True)
    shares = np.array(weights) / sum(weights)
    count = 1 + int(rng.binomial(min(len(codes) - 1, 3), 0.35 if days < 5 else 0.5))
    diagnoses = [str(code) for code in rng.choice(codes, size=count, replace=False, p=shares)]
    results, moment = [], start + timedelta(minutes=int(rng.integers(20, 240)))
    last: dict[str, float] = {}
    for _ in range(int(rng.poisson(0.8 + 0.35 * days))):
        test = wanted_test(rng, diagnoses)
        _, usual, spread, movers, strength = TESTS[test]
        shift = strength * spread if set(movers) & set(diagnoses) else 0.0
        fresh = max(0.1, usual + shift * rng.uniform(0.5, 1.2) + rng.normal(0, spread))
        value = fresh if test not in last else 0.6 * last[test] + 0.4 * usual + rng.normal(0, spread * 0.4)
        last[test] = max(0.1, value)
        results.append((moment, test, last[test]))
        moment += timedelta(minutes=int(5 * rng.integers(36, 288)))
    return "emergency" if emergency else "planned", days, round(cost, 2), diagnoses, results


def wanted_test(rng: np.random.Generator, diagnoses: list[str]) -> str:
    """Choose a test; those that a diagnosis moves are asked for more often."""
    weights = np.array([6.0 if set(entry[3]) & set(diagnoses) else 1.0 for entry in TESTS.values()])
    return list(TESTS)[int(rng.choice(len(TESTS), p=weights / weights.sum()))]


def make_database(rng: np.random.Generator, patients: int) -> dict[str, tuple[Row, list[Row]]]:
    """Make all tables: name to header and rows."""
    patient_rows, facts = make_patients(rng, patients)
    admissions: list[Row] = []
    diagnoses: list[Row] = []
    results: list[Row] = []
    for patient in facts:
        start = datetime(2021, 1, 1) + timedelta(days=int(rng.integers(0, 700)))
        stays = int(rng.poisson(1.1 + float(str(patient["age"])) / 90))
        for _ in range(stays):
            start += timedelta(days=int(rng.gamma(1.3, 90)), minutes=int(5 * rng.integers(72, 264)))
            department = choose_department(rng, patient)
            kind, days, cost, codes, values = make_admission(rng, department, start)
            key = 500_001 + len(admissions)
            admissions.append((key, patient["key"], department, start, kind, days, f"{cost:.2f}"))
            for place, code in enumerate(codes):
                diagnoses.append((len(diagnoses) + 1, key, code, "other" if place else "main"))
            for moment, test, value in values:
                shown = f"{value:.1f}" if rng.random() > 0.02 else ""
                results.append((len(results) + 1, key, moment, test, shown, TESTS[test][0]))
            start = start.replace(hour=0, minute=0) + timedelta(days=days)
    return {
        "departments": (("code", "name", "floor", "beds"), list(DEPARTMENTS)),
        "patients": (PATIENT_COLUMNS, patient_rows),
        "admissions": (ADMISSION_COLUMNS, admissions),
        "diagnoses": (("diagnosis_id", "admission_id", "code", "rank"), diagnoses),
        "lab_results": (("result_id", "admission_id", "measured_at", "test", "value", "unit"), results),
    }


PATIENT_COLUMNS = (
    "patient_id", "sex", "birth_date", "height_cm", "weight_kg", "smoker", "blood_type", "insurance", "city"
)  # fmt: skip
ADMISSION_COLUMNS = ("admission_id", "patient_id", "department", "admitted_at", "kind", "days", "cost")


def write_table(path: Path, header: Row, rows: Iterable[Row]) -> None:
    """Write one csv file."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write the database into the folder given as first argument."""
    if len(sys.argv) < 2:
        sys.exit("usage: sample_database.py FOLDER [PATIENTS]")
    folder, patients = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    folder.mkdir(parents=True, exist_ok=True)
    tables = make_database(np.random.default_rng(SEED), patients)
    for name, (header, rows) in tables.items():
        write_table(folder / f"{name}.csv", header, rows)
    print(f"{folder}: " + ", ".join(f"{name} {len(rows):,} rows" for name, (_, rows) in tables.items()))


if __name__ == "__main__":
    main()
