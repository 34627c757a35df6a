# How programs for the chip `ferrite` are compiled: -march=$(MARCH) -mabi=$(MABI).
# Written by `ferrite gen` from the chip's description: change that, not this file.
MARCH := rv32imc_zicsr_zifencei_zba_zbb_zbs
MABI := ilp32
