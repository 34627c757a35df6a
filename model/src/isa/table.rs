//! The one instruction table.
//!
//! A row holds: variant of [`Op`], method of [`Asm`](super::Asm), mnemonic, operand format, extension, and the fixed bits
//! (a mask and the value under it). Sources: RISC-V Unprivileged 20240411, "RV32/64G Instruction Set Listings" and
//! chapter 28 (bit manipulation, the RV32 forms), Privileged 20240411, chapter 3; `docs/tensor-unit.md` for the tensor
//! instructions. The 16-bit instructions have a table of their own, in `compressed`.

use super::format::Format;

const LOAD: u32 = 0x03;
const CUSTOM_0: u32 = 0x0B;
const MISC_MEM: u32 = 0x0F;
const OP_IMM: u32 = 0x13;
const AUIPC: u32 = 0x17;
const STORE: u32 = 0x23;
const OP: u32 = 0x33;
const LUI: u32 = 0x37;
const BRANCH: u32 = 0x63;
const JALR: u32 = 0x67;
const JAL: u32 = 0x6F;
const SYSTEM: u32 = 0x73;

/// The fixed bits of an instruction.
type Fixed = (u32, u32);

/// Opcode only.
const fn op(opcode: u32) -> Fixed {
    (0x7F, opcode)
}

/// Opcode and funct3.
const fn op3(opcode: u32, funct3: u32) -> Fixed {
    (0x707F, funct3 << 12 | opcode)
}

/// Opcode, funct3 and funct7.
const fn op37(opcode: u32, funct3: u32, funct7: u32) -> Fixed {
    (0xFE00_707F, funct7 << 25 | funct3 << 12 | opcode)
}

/// Opcode, funct3 and bits 31:20, where other instructions of the opcode have rs2 or an immediate.
const fn op312(opcode: u32, funct3: u32, funct12: u32) -> Fixed {
    (0xFFF0_707F, funct12 << 20 | funct3 << 12 | opcode)
}

/// All 32 bits.
const fn exactly(word: u32) -> Fixed {
    (u32::MAX, word)
}

/// Hands every row of the table to the macro `$then`.
macro_rules! for_each_instruction {
    ($then:ident) => {
        $then! {
            Lui lui "lui" U I op(LUI);
            Auipc auipc "auipc" U I op(AUIPC);
            Jal jal "jal" Jal I op(JAL);
            Jalr jalr "jalr" Jalr I op3(JALR, 0);
            Beq beq "beq" Branch I op3(BRANCH, 0);
            Bne bne "bne" Branch I op3(BRANCH, 1);
            Blt blt "blt" Branch I op3(BRANCH, 4);
            Bge bge "bge" Branch I op3(BRANCH, 5);
            Bltu bltu "bltu" Branch I op3(BRANCH, 6);
            Bgeu bgeu "bgeu" Branch I op3(BRANCH, 7);
            Lb lb "lb" Load I op3(LOAD, 0);
            Lh lh "lh" Load I op3(LOAD, 1);
            Lw lw "lw" Load I op3(LOAD, 2);
            Lbu lbu "lbu" Load I op3(LOAD, 4);
            Lhu lhu "lhu" Load I op3(LOAD, 5);
            Sb sb "sb" Store I op3(STORE, 0);
            Sh sh "sh" Store I op3(STORE, 1);
            Sw sw "sw" Store I op3(STORE, 2);
            Addi addi "addi" Imm I op3(OP_IMM, 0);
            Slti slti "slti" Imm I op3(OP_IMM, 2);
            Sltiu sltiu "sltiu" Imm I op3(OP_IMM, 3);
            Xori xori "xori" Imm I op3(OP_IMM, 4);
            Ori ori "ori" Imm I op3(OP_IMM, 6);
            Andi andi "andi" Imm I op3(OP_IMM, 7);
            Slli slli "slli" Shift I op37(OP_IMM, 1, 0x00);
            Srli srli "srli" Shift I op37(OP_IMM, 5, 0x00);
            Srai srai "srai" Shift I op37(OP_IMM, 5, 0x20);
            Add add "add" Reg I op37(OP, 0, 0x00);
            Sub sub "sub" Reg I op37(OP, 0, 0x20);
            Sll sll "sll" Reg I op37(OP, 1, 0x00);
            Slt slt "slt" Reg I op37(OP, 2, 0x00);
            Sltu sltu "sltu" Reg I op37(OP, 3, 0x00);
            Xor xor "xor" Reg I op37(OP, 4, 0x00);
            Srl srl "srl" Reg I op37(OP, 5, 0x00);
            Sra sra "sra" Reg I op37(OP, 5, 0x20);
            Or or "or" Reg I op37(OP, 6, 0x00);
            And and "and" Reg I op37(OP, 7, 0x00);
            Fence fence "fence" Fence I op3(MISC_MEM, 0);
            Ecall ecall "ecall" Bare I exactly(0x0000_0073);
            Ebreak ebreak "ebreak" Bare I exactly(0x0010_0073);

            FenceI fence_i "fence.i" FenceI Zifencei op3(MISC_MEM, 1);

            Csrrw csrrw "csrrw" Csr Zicsr op3(SYSTEM, 1);
            Csrrs csrrs "csrrs" Csr Zicsr op3(SYSTEM, 2);
            Csrrc csrrc "csrrc" Csr Zicsr op3(SYSTEM, 3);
            Csrrwi csrrwi "csrrwi" CsrImm Zicsr op3(SYSTEM, 5);
            Csrrsi csrrsi "csrrsi" CsrImm Zicsr op3(SYSTEM, 6);
            Csrrci csrrci "csrrci" CsrImm Zicsr op3(SYSTEM, 7);

            Mul mul "mul" Reg M op37(OP, 0, 0x01);
            Mulh mulh "mulh" Reg M op37(OP, 1, 0x01);
            Mulhsu mulhsu "mulhsu" Reg M op37(OP, 2, 0x01);
            Mulhu mulhu "mulhu" Reg M op37(OP, 3, 0x01);
            Div div "div" Reg M op37(OP, 4, 0x01);
            Divu divu "divu" Reg M op37(OP, 5, 0x01);
            Rem rem "rem" Reg M op37(OP, 6, 0x01);
            Remu remu "remu" Reg M op37(OP, 7, 0x01);

            Sh1add sh1add "sh1add" Reg Zba op37(OP, 2, 0x10);
            Sh2add sh2add "sh2add" Reg Zba op37(OP, 4, 0x10);
            Sh3add sh3add "sh3add" Reg Zba op37(OP, 6, 0x10);

            Andn andn "andn" Reg Zbb op37(OP, 7, 0x20);
            Orn orn "orn" Reg Zbb op37(OP, 6, 0x20);
            Xnor xnor "xnor" Reg Zbb op37(OP, 4, 0x20);
            Clz clz "clz" Unary Zbb op312(OP_IMM, 1, 0x600);
            Ctz ctz "ctz" Unary Zbb op312(OP_IMM, 1, 0x601);
            Cpop cpop "cpop" Unary Zbb op312(OP_IMM, 1, 0x602);
            SextB sext_b "sext.b" Unary Zbb op312(OP_IMM, 1, 0x604);
            SextH sext_h "sext.h" Unary Zbb op312(OP_IMM, 1, 0x605);
            ZextH zext_h "zext.h" Unary Zbb op312(OP, 4, 0x080);
            Min min "min" Reg Zbb op37(OP, 4, 0x05);
            Minu minu "minu" Reg Zbb op37(OP, 5, 0x05);
            Max max "max" Reg Zbb op37(OP, 6, 0x05);
            Maxu maxu "maxu" Reg Zbb op37(OP, 7, 0x05);
            Rol rol "rol" Reg Zbb op37(OP, 1, 0x30);
            Ror ror "ror" Reg Zbb op37(OP, 5, 0x30);
            Rori rori "rori" Shift Zbb op37(OP_IMM, 5, 0x30);
            OrcB orc_b "orc.b" Unary Zbb op312(OP_IMM, 5, 0x287);
            Rev8 rev8 "rev8" Unary Zbb op312(OP_IMM, 5, 0x698);

            Bclr bclr "bclr" Reg Zbs op37(OP, 1, 0x24);
            Bclri bclri "bclri" Shift Zbs op37(OP_IMM, 1, 0x24);
            Bext bext "bext" Reg Zbs op37(OP, 5, 0x24);
            Bexti bexti "bexti" Shift Zbs op37(OP_IMM, 5, 0x24);
            Binv binv "binv" Reg Zbs op37(OP, 1, 0x34);
            Binvi binvi "binvi" Shift Zbs op37(OP_IMM, 1, 0x34);
            Bset bset "bset" Reg Zbs op37(OP, 1, 0x14);
            Bseti bseti "bseti" Shift Zbs op37(OP_IMM, 1, 0x14);

            Mret mret "mret" Bare Machine exactly(0x3020_0073);
            Wfi wfi "wfi" Bare Machine exactly(0x1050_0073);

            TStatus t_status "t.status" TensorRd Tensor op37(CUSTOM_0, 0, 0x00);
            TFence t_fence "t.fence" TensorRd Tensor op37(CUSTOM_0, 0, 0x01);
            TCounter t_counter "t.counter" TensorRdRs1 Tensor op37(CUSTOM_0, 0, 0x02);
            TClear t_clear "t.clear" TensorBare Tensor op37(CUSTOM_0, 0, 0x03);
            TPush t_push "t.push" TensorRs1Rs2 Tensor op37(CUSTOM_0, 0, 0x04);
            TRun t_run "t.run" TensorRs1Rs2 Tensor op37(CUSTOM_0, 0, 0x05);
            TInfo t_info "t.info" TensorRdRs1 Tensor op37(CUSTOM_0, 0, 0x06);
            TInterrupt t_interrupt "t.interrupt" TensorRs1 Tensor op37(CUSTOM_0, 0, 0x07);
            // Last of its opcode: any other number is an instruction too, which the tensor unit answers with an error.
            TOther t_other "t.other" TensorOther Tensor op3(CUSTOM_0, 0);
        }
    };
}
pub(super) use for_each_instruction;

/// The part of the instruction set that an instruction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extension {
    /// RV32I.
    I,
    /// Integer multiplication and division.
    M,
    /// Addresses: shift and add.
    Zba,
    /// Basic bit manipulation.
    Zbb,
    /// Single bits.
    Zbs,
    /// CSR instructions.
    Zicsr,
    /// Instruction-fetch fence.
    Zifencei,
    /// Machine mode (privileged architecture).
    Machine,
    /// Tensor instructions, custom-0.
    Tensor,
}

/// A row of the instruction table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Which instruction.
    pub op: Op,
    /// Its name in assembly text.
    pub mnemonic: &'static str,
    /// Its operands and where they stand.
    pub format: Format,
    /// What it belongs to.
    pub extension: Extension,
    /// The bits that are fixed.
    pub mask: u32,
    /// The value of the fixed bits.
    pub bits: u32,
}

macro_rules! define_table {
    ($($variant:ident $method:ident $mnemonic:literal $format:ident $extension:ident $fixed:expr;)*) => {
        /// An instruction of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $(#[doc = concat!("`", $mnemonic, "`")] $variant,)*
        }

        /// Every instruction, in the order of [`Op`]'s variants. The first row that fits a word is its meaning.
        pub const TABLE: &[Spec] = &[$({
            let (mask, bits) = $fixed;
            Spec {
                op: Op::$variant,
                mnemonic: $mnemonic,
                format: Format::$format,
                extension: Extension::$extension,
                mask,
                bits,
            }
        },)*];
    };
}

for_each_instruction!(define_table);

impl Op {
    /// The instruction's row of the table.
    pub const fn spec(self) -> &'static Spec {
        &TABLE[self as usize]
    }
}
