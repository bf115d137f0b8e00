// Written by `npm run native:tables`. Do not edit.

import type { Pointer, PointerArgument, TextArgument } from './pointer.ts';

/**
 * What the libraries export, by its name in C. Left out, besides what is deprecated:
 * - `ggml_abort`: takes a list of any length.
 * - `ggml_format_name`: takes a list of any length.
 */
export interface NativeFunctions {
  ggml_set_abort_callback(callback: PointerArgument): Pointer;
  ggml_status_to_string(status: number): string | null;
  ggml_fp16_to_fp32(argument0: number): number;
  ggml_fp32_to_fp16(argument0: number): number;
  ggml_fp16_to_fp32_row(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_fp32_to_fp16_row(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_fp32_to_bf16(argument0: number): GgmlBf16T;
  ggml_bf16_to_fp32(argument0: GgmlBf16T): number;
  ggml_bf16_to_fp32_row(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_fp32_to_bf16_row_ref(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_fp32_to_bf16_row(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_guid_matches(guid_a: PointerArgument, guid_b: PointerArgument): boolean;
  ggml_version(): string | null;
  ggml_commit(): string | null;
  ggml_time_init(): void;
  ggml_time_ms(): number;
  ggml_time_us(): number;
  ggml_cycles(): number;
  ggml_cycles_per_ms(): number;
  ggml_fopen(fname: TextArgument, mode: TextArgument): Pointer;
  ggml_print_object(obj: PointerArgument): void;
  ggml_print_objects(ctx: PointerArgument): void;
  ggml_nelements(tensor: PointerArgument): number;
  ggml_nrows(tensor: PointerArgument): number;
  ggml_nbytes(tensor: PointerArgument): number;
  ggml_nbytes_pad(tensor: PointerArgument): number;
  ggml_blck_size(type: number): number;
  ggml_type_size(type: number): number;
  ggml_row_size(type: number, ne: number | bigint): number;
  ggml_type_name(type: number): string | null;
  ggml_op_name(op: number): string | null;
  ggml_op_symbol(op: number): string | null;
  ggml_unary_op_name(op: number): string | null;
  ggml_glu_op_name(op: number): string | null;
  ggml_op_desc(t: PointerArgument): string | null;
  ggml_element_size(tensor: PointerArgument): number;
  ggml_is_quantized(type: number): boolean;
  ggml_ftype_to_ggml_type(ftype: number): number;
  ggml_is_transposed(tensor: PointerArgument): boolean;
  ggml_is_permuted(tensor: PointerArgument): boolean;
  ggml_is_empty(tensor: PointerArgument): boolean;
  ggml_is_view(tensor: PointerArgument): boolean;
  ggml_is_scalar(tensor: PointerArgument): boolean;
  ggml_is_vector(tensor: PointerArgument): boolean;
  ggml_is_matrix(tensor: PointerArgument): boolean;
  ggml_is_3d(tensor: PointerArgument): boolean;
  ggml_n_dims(tensor: PointerArgument): number;
  ggml_is_contiguous(tensor: PointerArgument): boolean;
  ggml_is_contiguous_0(tensor: PointerArgument): boolean;
  ggml_is_contiguous_1(tensor: PointerArgument): boolean;
  ggml_is_contiguous_2(tensor: PointerArgument): boolean;
  ggml_is_contiguous_to_1(tensor: PointerArgument): boolean;
  ggml_is_contiguous_to_2(tensor: PointerArgument): boolean;
  ggml_is_contiguous_to_3(tensor: PointerArgument): boolean;
  ggml_is_contiguously_allocated(tensor: PointerArgument): boolean;
  ggml_is_contiguous_channels(tensor: PointerArgument): boolean;
  ggml_is_contiguous_rows(tensor: PointerArgument): boolean;
  ggml_are_same_shape(t0: PointerArgument, t1: PointerArgument): boolean;
  ggml_are_same_stride(t0: PointerArgument, t1: PointerArgument): boolean;
  ggml_can_repeat(t0: PointerArgument, t1: PointerArgument): boolean;
  ggml_tensor_overhead(): number;
  ggml_validate_row_data(type: number, data: PointerArgument, nbytes: number | bigint): boolean;
  ggml_init(params: GgmlInitParams): Pointer;
  ggml_reset(ctx: PointerArgument): void;
  ggml_free(ctx: PointerArgument): void;
  ggml_used_mem(ctx: PointerArgument): number;
  ggml_get_no_alloc(ctx: PointerArgument): boolean;
  ggml_set_no_alloc(ctx: PointerArgument, no_alloc: boolean): void;
  ggml_get_mem_buffer(ctx: PointerArgument): Pointer;
  ggml_get_mem_size(ctx: PointerArgument): number;
  ggml_get_max_tensor_size(ctx: PointerArgument): number;
  ggml_new_tensor(ctx: PointerArgument, type: number, n_dims: number, ne: PointerArgument): Pointer;
  ggml_new_tensor_1d(ctx: PointerArgument, type: number, ne0: number | bigint): Pointer;
  ggml_new_tensor_2d(ctx: PointerArgument, type: number, ne0: number | bigint, ne1: number | bigint): Pointer;
  ggml_new_tensor_3d(
    ctx: PointerArgument,
    type: number,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
  ): Pointer;
  ggml_new_tensor_4d(
    ctx: PointerArgument,
    type: number,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
  ): Pointer;
  ggml_new_buffer(ctx: PointerArgument, nbytes: number | bigint): Pointer;
  ggml_dup_tensor(ctx: PointerArgument, src: PointerArgument): Pointer;
  ggml_view_tensor(ctx: PointerArgument, src: PointerArgument): Pointer;
  ggml_get_first_tensor(ctx: PointerArgument): Pointer;
  ggml_get_next_tensor(ctx: PointerArgument, tensor: PointerArgument): Pointer;
  ggml_get_tensor(ctx: PointerArgument, name: TextArgument): Pointer;
  ggml_unravel_index(
    tensor: PointerArgument,
    i: number | bigint,
    i0: PointerArgument,
    i1: PointerArgument,
    i2: PointerArgument,
    i3: PointerArgument,
  ): void;
  ggml_get_unary_op(tensor: PointerArgument): number;
  ggml_get_glu_op(tensor: PointerArgument): number;
  ggml_get_data(tensor: PointerArgument): Pointer;
  ggml_get_data_f32(tensor: PointerArgument): Pointer;
  ggml_get_name(tensor: PointerArgument): string | null;
  ggml_set_name(tensor: PointerArgument, name: TextArgument): Pointer;
  ggml_set_input(tensor: PointerArgument): void;
  ggml_set_output(tensor: PointerArgument): void;
  ggml_set_param(tensor: PointerArgument): void;
  ggml_set_loss(tensor: PointerArgument): void;
  ggml_dup(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_dup_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_add(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_add_inplace(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_add_cast(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, type: number): Pointer;
  ggml_add_id(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, ids: PointerArgument): Pointer;
  ggml_acc(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    nb2: number | bigint,
    nb3: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_acc_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    nb2: number | bigint,
    nb3: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_sub(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_sub_inplace(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_mul(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_mul_inplace(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_div(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_div_inplace(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_sqr(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sqr_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sqrt(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sqrt_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_log(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_log_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_expm1(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_expm1_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_softplus(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_softplus_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sin(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sin_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_cos(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_cos_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sum(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sum_rows(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_cumsum(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_mean(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_argmax(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_count_equal(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_repeat(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_repeat_4d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
  ): Pointer;
  ggml_repeat_back(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_concat(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, dim: number): Pointer;
  ggml_abs(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_abs_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sgn(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sgn_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_neg(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_neg_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_step(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_step_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_tanh(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_tanh_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_elu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_elu_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_relu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_leaky_relu(ctx: PointerArgument, a: PointerArgument, negative_slope: number, inplace: boolean): Pointer;
  ggml_relu_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sigmoid(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_sigmoid_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu_erf(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu_erf_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu_quick(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_gelu_quick_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_silu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_silu_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_silu_back(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_hardswish(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_hardsigmoid(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_exp(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_exp_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_floor(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_floor_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_ceil(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_ceil_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_round(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_round_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_trunc(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_trunc_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_xielu(
    ctx: PointerArgument,
    a: PointerArgument,
    alpha_n: number,
    alpha_p: number,
    beta: number,
    eps: number,
  ): Pointer;
  ggml_glu(ctx: PointerArgument, a: PointerArgument, op: number, swapped: boolean): Pointer;
  ggml_reglu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_reglu_swapped(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu_swapped(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_swiglu(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_swiglu_swapped(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu_erf(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu_erf_swapped(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu_quick(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_geglu_quick_swapped(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_glu_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, op: number): Pointer;
  ggml_reglu_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_geglu_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_swiglu_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_geglu_erf_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_geglu_quick_split(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_swiglu_oai(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, alpha: number, limit: number): Pointer;
  ggml_swiglu_clamp(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, limit: number): Pointer;
  ggml_norm(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_norm_inplace(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_rms_norm(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_rms_norm_inplace(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_group_norm(ctx: PointerArgument, a: PointerArgument, n_groups: number, eps: number): Pointer;
  ggml_group_norm_inplace(ctx: PointerArgument, a: PointerArgument, n_groups: number, eps: number): Pointer;
  ggml_l2_norm(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_l2_norm_inplace(ctx: PointerArgument, a: PointerArgument, eps: number): Pointer;
  ggml_rms_norm_back(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, eps: number): Pointer;
  ggml_prec_set_acc(a: PointerArgument, prec: number): boolean;
  ggml_prec_set_src(a: PointerArgument, prec: number, idx: number): boolean;
  ggml_mul_mat(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_mul_mat_set_hint(a: PointerArgument, hint: number): void;
  ggml_mul_mat_id(ctx: PointerArgument, as: PointerArgument, b: PointerArgument, ids: PointerArgument): Pointer;
  ggml_out_prod(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_scale(ctx: PointerArgument, a: PointerArgument, s: number): Pointer;
  ggml_scale_inplace(ctx: PointerArgument, a: PointerArgument, s: number): Pointer;
  ggml_scale_bias(ctx: PointerArgument, a: PointerArgument, s: number, b: number): Pointer;
  ggml_scale_bias_inplace(ctx: PointerArgument, a: PointerArgument, s: number, b: number): Pointer;
  ggml_set(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    nb2: number | bigint,
    nb3: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_set_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    nb2: number | bigint,
    nb3: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_set_1d(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, offset: number | bigint): Pointer;
  ggml_set_1d_inplace(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, offset: number | bigint): Pointer;
  ggml_set_2d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_set_2d_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    nb1: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_cpy(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_cast(ctx: PointerArgument, a: PointerArgument, type: number): Pointer;
  ggml_cont(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_cont_1d(ctx: PointerArgument, a: PointerArgument, ne0: number | bigint): Pointer;
  ggml_cont_2d(ctx: PointerArgument, a: PointerArgument, ne0: number | bigint, ne1: number | bigint): Pointer;
  ggml_cont_3d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
  ): Pointer;
  ggml_cont_4d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
  ): Pointer;
  ggml_reshape(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_reshape_1d(ctx: PointerArgument, a: PointerArgument, ne0: number | bigint): Pointer;
  ggml_reshape_2d(ctx: PointerArgument, a: PointerArgument, ne0: number | bigint, ne1: number | bigint): Pointer;
  ggml_reshape_3d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
  ): Pointer;
  ggml_reshape_4d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
  ): Pointer;
  ggml_view_1d(ctx: PointerArgument, a: PointerArgument, ne0: number | bigint, offset: number | bigint): Pointer;
  ggml_view_2d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    nb1: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_view_3d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    nb1: number | bigint,
    nb2: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_view_4d(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
    nb1: number | bigint,
    nb2: number | bigint,
    nb3: number | bigint,
    offset: number | bigint,
  ): Pointer;
  ggml_permute(
    ctx: PointerArgument,
    a: PointerArgument,
    axis0: number,
    axis1: number,
    axis2: number,
    axis3: number,
  ): Pointer;
  ggml_transpose(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_get_rows(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_get_rows_back(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, c: PointerArgument): Pointer;
  ggml_set_rows(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, c: PointerArgument): Pointer;
  ggml_diag(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_diag_mask_inf(ctx: PointerArgument, a: PointerArgument, n_past: number): Pointer;
  ggml_diag_mask_inf_inplace(ctx: PointerArgument, a: PointerArgument, n_past: number): Pointer;
  ggml_diag_mask_zero(ctx: PointerArgument, a: PointerArgument, n_past: number): Pointer;
  ggml_diag_mask_zero_inplace(ctx: PointerArgument, a: PointerArgument, n_past: number): Pointer;
  ggml_clamp(ctx: PointerArgument, a: PointerArgument, min: number, max: number): Pointer;
  ggml_clamp_inplace(ctx: PointerArgument, a: PointerArgument, min: number, max: number): Pointer;
  ggml_soft_max(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_soft_max_inplace(ctx: PointerArgument, a: PointerArgument): Pointer;
  ggml_soft_max_ext(
    ctx: PointerArgument,
    a: PointerArgument,
    mask: PointerArgument,
    scale: number,
    max_bias: number,
  ): Pointer;
  ggml_soft_max_ext_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    mask: PointerArgument,
    scale: number,
    max_bias: number,
  ): Pointer;
  ggml_soft_max_add_sinks(a: PointerArgument, sinks: PointerArgument): void;
  ggml_soft_max_ext_back(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    scale: number,
    max_bias: number,
  ): Pointer;
  ggml_soft_max_ext_back_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    scale: number,
    max_bias: number,
  ): Pointer;
  ggml_rope(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, n_dims: number, mode: number): Pointer;
  ggml_rope_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    n_dims: number,
    mode: number,
  ): Pointer;
  ggml_rope_ext(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_multi(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    sections: PointerArgument,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_ext_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_multi_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    sections: PointerArgument,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_yarn_corr_dims(
    n_dims: number,
    n_ctx_orig: number,
    freq_base: number,
    beta_fast: number,
    beta_slow: number,
    dims: PointerArgument,
  ): void;
  ggml_rope_ext_back(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_multi_back(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    n_dims: number,
    sections: PointerArgument,
    mode: number,
    n_ctx_orig: number,
    freq_base: number,
    freq_scale: number,
    ext_factor: number,
    attn_factor: number,
    beta_fast: number,
    beta_slow: number,
  ): Pointer;
  ggml_rope_set_offset(a: PointerArgument, n_offs: number): Pointer;
  ggml_im2col(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
    d0: number,
    d1: number,
    is_2D: boolean,
    dst_type: number,
  ): Pointer;
  ggml_im2col_back(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    ne: PointerArgument,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
    d0: number,
    d1: number,
    is_2D: boolean,
  ): Pointer;
  ggml_col2im_1d(ctx: PointerArgument, a: PointerArgument, s0: number, oc: number, p0: number): Pointer;
  ggml_conv_1d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    p0: number,
    d0: number,
  ): Pointer;
  ggml_conv_1d_ph(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, s: number, d: number): Pointer;
  ggml_conv_1d_dw(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    p0: number,
    d0: number,
  ): Pointer;
  ggml_conv_1d_dw_ph(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, s0: number, d0: number): Pointer;
  ggml_conv_transpose_1d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    p0: number,
    d0: number,
  ): Pointer;
  ggml_conv_2d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
    d0: number,
    d1: number,
  ): Pointer;
  ggml_im2col_3d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    IC: number | bigint,
    s0: number,
    s1: number,
    s2: number,
    p0: number,
    p1: number,
    p2: number,
    d0: number,
    d1: number,
    d2: number,
    dst_type: number,
  ): Pointer;
  ggml_conv_3d(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    IC: number | bigint,
    s0: number,
    s1: number,
    s2: number,
    p0: number,
    p1: number,
    p2: number,
    d0: number,
    d1: number,
    d2: number,
  ): Pointer;
  ggml_conv_2d_sk_p0(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_conv_2d_s1_ph(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_conv_2d_dw(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
    d0: number,
    d1: number,
  ): Pointer;
  ggml_conv_2d_dw_direct(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    stride0: number,
    stride1: number,
    pad0: number,
    pad1: number,
    dilation0: number,
    dilation1: number,
  ): Pointer;
  ggml_conv_transpose_2d_p0(ctx: PointerArgument, a: PointerArgument, b: PointerArgument, stride: number): Pointer;
  ggml_conv_2d_direct(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
    d0: number,
    d1: number,
  ): Pointer;
  ggml_conv_3d_direct(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    s0: number,
    s1: number,
    s2: number,
    p0: number,
    p1: number,
    p2: number,
    d0: number,
    d1: number,
    d2: number,
    n_channels: number,
    n_batch: number,
    n_channels_out: number,
  ): Pointer;
  ggml_pool_1d(ctx: PointerArgument, a: PointerArgument, op: number, k0: number, s0: number, p0: number): Pointer;
  ggml_pool_2d(
    ctx: PointerArgument,
    a: PointerArgument,
    op: number,
    k0: number,
    k1: number,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
  ): Pointer;
  ggml_pool_2d_back(
    ctx: PointerArgument,
    a: PointerArgument,
    af: PointerArgument,
    op: number,
    k0: number,
    k1: number,
    s0: number,
    s1: number,
    p0: number,
    p1: number,
  ): Pointer;
  ggml_upscale(ctx: PointerArgument, a: PointerArgument, scale_factor: number, mode: number): Pointer;
  ggml_interpolate(
    ctx: PointerArgument,
    a: PointerArgument,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
    mode: number,
  ): Pointer;
  ggml_pad(ctx: PointerArgument, a: PointerArgument, p0: number, p1: number, p2: number, p3: number): Pointer;
  ggml_pad_circular(ctx: PointerArgument, a: PointerArgument, p0: number, p1: number, p2: number, p3: number): Pointer;
  ggml_pad_ext(
    ctx: PointerArgument,
    a: PointerArgument,
    lp0: number,
    rp0: number,
    lp1: number,
    rp1: number,
    lp2: number,
    rp2: number,
    lp3: number,
    rp3: number,
  ): Pointer;
  ggml_pad_ext_circular(
    ctx: PointerArgument,
    a: PointerArgument,
    lp0: number,
    rp0: number,
    lp1: number,
    rp1: number,
    lp2: number,
    rp2: number,
    lp3: number,
    rp3: number,
  ): Pointer;
  ggml_pad_reflect_1d(ctx: PointerArgument, a: PointerArgument, p0: number, p1: number): Pointer;
  ggml_roll(
    ctx: PointerArgument,
    a: PointerArgument,
    shift0: number,
    shift1: number,
    shift2: number,
    shift3: number,
  ): Pointer;
  ggml_tri(ctx: PointerArgument, a: PointerArgument, type: number): Pointer;
  ggml_fill(ctx: PointerArgument, a: PointerArgument, c: number): Pointer;
  ggml_fill_inplace(ctx: PointerArgument, a: PointerArgument, c: number): Pointer;
  ggml_timestep_embedding(ctx: PointerArgument, timesteps: PointerArgument, dim: number, max_period: number): Pointer;
  ggml_argsort(ctx: PointerArgument, a: PointerArgument, order: number): Pointer;
  ggml_argsort_top_k(ctx: PointerArgument, a: PointerArgument, k: number): Pointer;
  ggml_top_k(ctx: PointerArgument, a: PointerArgument, k: number): Pointer;
  ggml_arange(ctx: PointerArgument, start: number, stop: number, step: number): Pointer;
  ggml_flash_attn_ext(
    ctx: PointerArgument,
    q: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    mask: PointerArgument,
    scale: number,
    max_bias: number,
    logit_softcap: number,
  ): Pointer;
  ggml_flash_attn_ext_get_prec(a: PointerArgument): number;
  ggml_flash_attn_ext_set_n_kv_max(a: PointerArgument, n_kv_max: number): void;
  ggml_flash_attn_ext_add_sinks(a: PointerArgument, sinks: PointerArgument): void;
  ggml_flash_attn_back(
    ctx: PointerArgument,
    q: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    d: PointerArgument,
    masked: boolean,
  ): Pointer;
  ggml_ssm_conv(ctx: PointerArgument, sx: PointerArgument, c: PointerArgument): Pointer;
  ggml_ssm_scan(
    ctx: PointerArgument,
    s: PointerArgument,
    x: PointerArgument,
    dt: PointerArgument,
    A: PointerArgument,
    B: PointerArgument,
    C: PointerArgument,
    ids: PointerArgument,
    K: number | bigint,
  ): Pointer;
  ggml_win_part(ctx: PointerArgument, a: PointerArgument, w: number): Pointer;
  ggml_win_unpart(ctx: PointerArgument, a: PointerArgument, w0: number, h0: number, w: number): Pointer;
  ggml_unary(ctx: PointerArgument, a: PointerArgument, op: number): Pointer;
  ggml_unary_inplace(ctx: PointerArgument, a: PointerArgument, op: number): Pointer;
  ggml_get_rel_pos(ctx: PointerArgument, a: PointerArgument, qh: number, kh: number): Pointer;
  ggml_add_rel_pos(ctx: PointerArgument, a: PointerArgument, pw: PointerArgument, ph: PointerArgument): Pointer;
  ggml_add_rel_pos_inplace(ctx: PointerArgument, a: PointerArgument, pw: PointerArgument, ph: PointerArgument): Pointer;
  ggml_rwkv_wkv6(
    ctx: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    r: PointerArgument,
    tf: PointerArgument,
    td: PointerArgument,
    state: PointerArgument,
  ): Pointer;
  ggml_gated_linear_attn(
    ctx: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    q: PointerArgument,
    g: PointerArgument,
    state: PointerArgument,
    scale: number,
  ): Pointer;
  ggml_rwkv_wkv7(
    ctx: PointerArgument,
    r: PointerArgument,
    w: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    state: PointerArgument,
  ): Pointer;
  ggml_solve_tri(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    left: boolean,
    lower: boolean,
    uni: boolean,
  ): Pointer;
  ggml_gated_delta_net(
    ctx: PointerArgument,
    q: PointerArgument,
    k: PointerArgument,
    v: PointerArgument,
    g: PointerArgument,
    beta: PointerArgument,
    state: PointerArgument,
    K: number | bigint,
  ): Pointer;
  ggml_lightning_indexer(
    ctx: PointerArgument,
    q: PointerArgument,
    k: PointerArgument,
    weights: PointerArgument,
    mask: PointerArgument,
  ): Pointer;
  ggml_dsv4_hc_comb(
    ctx: PointerArgument,
    mixes: PointerArgument,
    scale: PointerArgument,
    base: PointerArgument,
    eps: number,
    n_iter: number,
  ): Pointer;
  ggml_dsv4_hc_pre(ctx: PointerArgument, x: PointerArgument, weights: PointerArgument): Pointer;
  ggml_dsv4_hc_pre_gated(ctx: PointerArgument, x: PointerArgument, gate: PointerArgument, scale: number): Pointer;
  ggml_dsv4_hc_post(
    ctx: PointerArgument,
    x: PointerArgument,
    residual: PointerArgument,
    post: PointerArgument,
    comb: PointerArgument,
  ): Pointer;
  ggml_map_custom1(
    ctx: PointerArgument,
    a: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_map_custom1_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_map_custom2(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_map_custom2_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_map_custom3(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_map_custom3_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_custom_4d(
    ctx: PointerArgument,
    type: number,
    ne0: number | bigint,
    ne1: number | bigint,
    ne2: number | bigint,
    ne3: number | bigint,
    args: PointerArgument,
    n_args: number,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_custom_inplace(
    ctx: PointerArgument,
    a: PointerArgument,
    args: PointerArgument,
    n_args: number,
    fun: PointerArgument,
    n_tasks: number,
    userdata: PointerArgument,
  ): Pointer;
  ggml_cross_entropy_loss(ctx: PointerArgument, a: PointerArgument, b: PointerArgument): Pointer;
  ggml_cross_entropy_loss_back(
    ctx: PointerArgument,
    a: PointerArgument,
    b: PointerArgument,
    c: PointerArgument,
  ): Pointer;
  ggml_opt_step_adamw(
    ctx: PointerArgument,
    a: PointerArgument,
    grad: PointerArgument,
    m: PointerArgument,
    v: PointerArgument,
    adamw_params: PointerArgument,
  ): Pointer;
  ggml_opt_step_sgd(
    ctx: PointerArgument,
    a: PointerArgument,
    grad: PointerArgument,
    sgd_params: PointerArgument,
  ): Pointer;
  ggml_build_forward_select(cgraph: PointerArgument, tensors: PointerArgument, n_tensors: number, idx: number): Pointer;
  ggml_build_forward_expand(cgraph: PointerArgument, tensor: PointerArgument): void;
  ggml_build_forward_order(cgraph: PointerArgument, tensor: PointerArgument): void;
  ggml_build_backward_expand(ctx: PointerArgument, cgraph: PointerArgument, grad_accs: PointerArgument): void;
  ggml_new_graph(ctx: PointerArgument): Pointer;
  ggml_new_graph_custom(ctx: PointerArgument, size: number | bigint, grads: boolean): Pointer;
  ggml_graph_dup(ctx: PointerArgument, cgraph: PointerArgument, force_grads: boolean): Pointer;
  ggml_graph_cpy(src: PointerArgument, dst: PointerArgument): void;
  ggml_graph_reset(cgraph: PointerArgument): void;
  ggml_graph_clear(cgraph: PointerArgument): void;
  ggml_graph_size(cgraph: PointerArgument): number;
  ggml_graph_node(cgraph: PointerArgument, i: number): Pointer;
  ggml_graph_nodes(cgraph: PointerArgument): Pointer;
  ggml_graph_n_nodes(cgraph: PointerArgument): number;
  ggml_graph_add_node(cgraph: PointerArgument, tensor: PointerArgument): void;
  ggml_graph_overhead(): number;
  ggml_graph_overhead_custom(size: number | bigint, grads: boolean): number;
  ggml_graph_get_tensor(cgraph: PointerArgument, name: TextArgument): Pointer;
  ggml_graph_get_grad(cgraph: PointerArgument, node: PointerArgument): Pointer;
  ggml_graph_get_grad_acc(cgraph: PointerArgument, node: PointerArgument): Pointer;
  ggml_graph_print(cgraph: PointerArgument): void;
  ggml_graph_dump_dot(gb: PointerArgument, cgraph: PointerArgument, filename: TextArgument): void;
  ggml_log_get(log_callback: PointerArgument, user_data: PointerArgument): void;
  ggml_log_set(log_callback: PointerArgument, user_data: PointerArgument): void;
  ggml_set_zero(tensor: PointerArgument): Pointer;
  ggml_quantize_init(type: number): void;
  ggml_quantize_free(): void;
  ggml_quantize_requires_imatrix(type: number): boolean;
  ggml_quantize_chunk(
    type: number,
    src: PointerArgument,
    dst: PointerArgument,
    start: number | bigint,
    nrows: number | bigint,
    n_per_row: number | bigint,
    imatrix: PointerArgument,
  ): number;
  ggml_get_type_traits(type: number): Pointer;
  ggml_threadpool_params_default(n_threads: number): GgmlThreadpoolParams;
  ggml_threadpool_params_init(p: PointerArgument, n_threads: number): void;
  ggml_threadpool_params_match(p0: PointerArgument, p1: PointerArgument): boolean;
  ggml_tallocr_new(buffer: PointerArgument): GgmlTallocr;
  ggml_tallocr_alloc(talloc: PointerArgument, tensor: PointerArgument): number;
  ggml_gallocr_new(buft: PointerArgument): Pointer;
  ggml_gallocr_new_n(bufts: PointerArgument, n_bufs: number): Pointer;
  ggml_gallocr_free(galloc: PointerArgument): void;
  ggml_gallocr_reserve(galloc: PointerArgument, graph: PointerArgument): boolean;
  ggml_gallocr_reserve_n_size(
    galloc: PointerArgument,
    graph: PointerArgument,
    node_buffer_ids: PointerArgument,
    leaf_buffer_ids: PointerArgument,
    sizes: PointerArgument,
  ): void;
  ggml_gallocr_reserve_n(
    galloc: PointerArgument,
    graph: PointerArgument,
    node_buffer_ids: PointerArgument,
    leaf_buffer_ids: PointerArgument,
  ): boolean;
  ggml_gallocr_alloc_graph(galloc: PointerArgument, graph: PointerArgument): boolean;
  ggml_gallocr_get_buffer_size(galloc: PointerArgument, buffer_id: number): number;
  ggml_backend_alloc_ctx_tensors_from_buft_size(ctx: PointerArgument, buft: PointerArgument): number;
  ggml_backend_alloc_ctx_tensors_from_buft(ctx: PointerArgument, buft: PointerArgument): Pointer;
  ggml_backend_alloc_ctx_tensors(ctx: PointerArgument, backend: PointerArgument): Pointer;
  ggml_backend_buft_name(buft: PointerArgument): string | null;
  ggml_backend_buft_alloc_buffer(buft: PointerArgument, size: number | bigint): Pointer;
  ggml_backend_buft_get_alignment(buft: PointerArgument): number;
  ggml_backend_buft_get_max_size(buft: PointerArgument): number;
  ggml_backend_buft_get_alloc_size(buft: PointerArgument, tensor: PointerArgument): number;
  ggml_backend_buft_is_host(buft: PointerArgument): boolean;
  ggml_backend_buft_get_device(buft: PointerArgument): Pointer;
  ggml_backend_buffer_name(buffer: PointerArgument): string | null;
  ggml_backend_buffer_free(buffer: PointerArgument): void;
  ggml_backend_buffer_get_base(buffer: PointerArgument): Pointer;
  ggml_backend_buffer_get_size(buffer: PointerArgument): number;
  ggml_backend_buffer_init_tensor(buffer: PointerArgument, tensor: PointerArgument): number;
  ggml_backend_buffer_get_alignment(buffer: PointerArgument): number;
  ggml_backend_buffer_get_max_size(buffer: PointerArgument): number;
  ggml_backend_buffer_get_alloc_size(buffer: PointerArgument, tensor: PointerArgument): number;
  ggml_backend_buffer_clear(buffer: PointerArgument, value: number): void;
  ggml_backend_buffer_is_host(buffer: PointerArgument): boolean;
  ggml_backend_buffer_set_usage(buffer: PointerArgument, usage: number): void;
  ggml_backend_buffer_get_usage(buffer: PointerArgument): number;
  ggml_backend_buffer_get_type(buffer: PointerArgument): Pointer;
  ggml_backend_buffer_reset(buffer: PointerArgument): void;
  ggml_backend_tensor_copy(src: PointerArgument, dst: PointerArgument): void;
  ggml_backend_guid(backend: PointerArgument): Pointer;
  ggml_backend_name(backend: PointerArgument): string | null;
  ggml_backend_free(backend: PointerArgument): void;
  ggml_backend_get_default_buffer_type(backend: PointerArgument): Pointer;
  ggml_backend_alloc_buffer(backend: PointerArgument, size: number | bigint): Pointer;
  ggml_backend_get_alignment(backend: PointerArgument): number;
  ggml_backend_get_max_size(backend: PointerArgument): number;
  ggml_backend_tensor_set_async(
    backend: PointerArgument,
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
  ): void;
  ggml_backend_tensor_get_async(
    backend: PointerArgument,
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
  ): void;
  ggml_backend_tensor_set_2d_async(
    backend: PointerArgument,
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
    n_copies: number | bigint,
    stride_tensor: number | bigint,
    stride_data: number | bigint,
  ): void;
  ggml_backend_tensor_get_2d_async(
    backend: PointerArgument,
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
    n_copies: number | bigint,
    stride_tensor: number | bigint,
    stride_data: number | bigint,
  ): void;
  ggml_backend_tensor_set(
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
  ): void;
  ggml_backend_tensor_get(
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
  ): void;
  ggml_backend_tensor_set_2d(
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
    n_copies: number | bigint,
    stride_tensor: number | bigint,
    stride_data: number | bigint,
  ): void;
  ggml_backend_tensor_get_2d(
    tensor: PointerArgument,
    data: PointerArgument,
    offset: number | bigint,
    size: number | bigint,
    n_copies: number | bigint,
    stride_tensor: number | bigint,
    stride_data: number | bigint,
  ): void;
  ggml_backend_tensor_memset(
    tensor: PointerArgument,
    value: number,
    offset: number | bigint,
    size: number | bigint,
  ): void;
  ggml_backend_synchronize(backend: PointerArgument): void;
  ggml_backend_graph_plan_create(backend: PointerArgument, cgraph: PointerArgument): Pointer;
  ggml_backend_graph_plan_free(backend: PointerArgument, plan: PointerArgument): void;
  ggml_backend_graph_plan_compute(backend: PointerArgument, plan: PointerArgument): number;
  ggml_backend_graph_compute(backend: PointerArgument, cgraph: PointerArgument): number;
  ggml_backend_graph_compute_async(backend: PointerArgument, cgraph: PointerArgument): number;
  ggml_backend_supports_op(backend: PointerArgument, op: PointerArgument): boolean;
  ggml_backend_supports_buft(backend: PointerArgument, buft: PointerArgument): boolean;
  ggml_backend_offload_op(backend: PointerArgument, op: PointerArgument): boolean;
  ggml_backend_tensor_copy_async(
    backend_src: PointerArgument,
    backend_dst: PointerArgument,
    src: PointerArgument,
    dst: PointerArgument,
  ): void;
  ggml_backend_get_device(backend: PointerArgument): Pointer;
  ggml_backend_event_new(device: PointerArgument): Pointer;
  ggml_backend_event_free(event: PointerArgument): void;
  ggml_backend_event_record(event: PointerArgument, backend: PointerArgument): void;
  ggml_backend_event_synchronize(event: PointerArgument): void;
  ggml_backend_event_wait(backend: PointerArgument, event: PointerArgument): void;
  ggml_backend_dev_name(device: PointerArgument): string | null;
  ggml_backend_dev_description(device: PointerArgument): string | null;
  ggml_backend_dev_memory(device: PointerArgument, free: PointerArgument, total: PointerArgument): void;
  ggml_backend_dev_type(device: PointerArgument): number;
  ggml_backend_dev_get_props(device: PointerArgument, props: PointerArgument): void;
  ggml_backend_dev_backend_reg(device: PointerArgument): Pointer;
  ggml_backend_dev_init(device: PointerArgument, params: TextArgument): Pointer;
  ggml_backend_dev_buffer_type(device: PointerArgument): Pointer;
  ggml_backend_dev_host_buffer_type(device: PointerArgument): Pointer;
  ggml_backend_dev_buffer_from_host_ptr(
    device: PointerArgument,
    ptr: PointerArgument,
    size: number | bigint,
    max_tensor_size: number | bigint,
  ): Pointer;
  ggml_backend_dev_supports_op(device: PointerArgument, op: PointerArgument): boolean;
  ggml_backend_dev_supports_buft(device: PointerArgument, buft: PointerArgument): boolean;
  ggml_backend_dev_offload_op(device: PointerArgument, op: PointerArgument): boolean;
  ggml_backend_reg_name(reg: PointerArgument): string | null;
  ggml_backend_reg_dev_count(reg: PointerArgument): number;
  ggml_backend_reg_dev_get(reg: PointerArgument, index: number | bigint): Pointer;
  ggml_backend_reg_get_proc_address(reg: PointerArgument, name: TextArgument): Pointer;
  ggml_backend_register(reg: PointerArgument): void;
  ggml_backend_device_register(device: PointerArgument): void;
  ggml_backend_reg_count(): number;
  ggml_backend_reg_get(index: number | bigint): Pointer;
  ggml_backend_reg_by_name(name: TextArgument): Pointer;
  ggml_backend_dev_count(): number;
  ggml_backend_dev_get(index: number | bigint): Pointer;
  ggml_backend_dev_by_name(name: TextArgument): Pointer;
  ggml_backend_dev_by_type(type: number): Pointer;
  ggml_backend_init_by_name(name: TextArgument, params: TextArgument): Pointer;
  ggml_backend_init_by_type(type: number, params: TextArgument): Pointer;
  ggml_backend_init_best(): Pointer;
  ggml_backend_load(path: TextArgument): Pointer;
  ggml_backend_unload(reg: PointerArgument): void;
  ggml_backend_load_all(): void;
  ggml_backend_load_all_from_path(dir_path: TextArgument): void;
  ggml_backend_sched_new(
    backends: PointerArgument,
    bufts: PointerArgument,
    n_backends: number,
    graph_size: number | bigint,
    parallel: boolean,
    op_offload: boolean,
  ): Pointer;
  ggml_backend_sched_free(sched: PointerArgument): void;
  ggml_backend_sched_reserve_size(sched: PointerArgument, measure_graph: PointerArgument, sizes: PointerArgument): void;
  ggml_backend_sched_reserve(sched: PointerArgument, measure_graph: PointerArgument): boolean;
  ggml_backend_sched_get_n_backends(sched: PointerArgument): number;
  ggml_backend_sched_get_backend(sched: PointerArgument, i: number): Pointer;
  ggml_backend_sched_get_n_splits(sched: PointerArgument): number;
  ggml_backend_sched_get_n_copies(sched: PointerArgument): number;
  ggml_backend_sched_get_buffer_type(sched: PointerArgument, backend: PointerArgument): Pointer;
  ggml_backend_sched_get_buffer_size(sched: PointerArgument, backend: PointerArgument): number;
  ggml_backend_sched_set_tensor_backend(sched: PointerArgument, node: PointerArgument, backend: PointerArgument): void;
  ggml_backend_sched_get_tensor_backend(sched: PointerArgument, node: PointerArgument): Pointer;
  ggml_backend_sched_split_graph(sched: PointerArgument, graph: PointerArgument): void;
  ggml_backend_sched_alloc_graph(sched: PointerArgument, graph: PointerArgument): boolean;
  ggml_backend_sched_graph_compute(sched: PointerArgument, graph: PointerArgument): number;
  ggml_backend_sched_graph_compute_async(sched: PointerArgument, graph: PointerArgument): number;
  ggml_backend_sched_synchronize(sched: PointerArgument): void;
  ggml_backend_sched_reset(sched: PointerArgument): void;
  ggml_backend_sched_set_eval_callback(
    sched: PointerArgument,
    callback: PointerArgument,
    user_data: PointerArgument,
  ): void;
  ggml_backend_meta_split_axis_name(split_axis: number): string | null;
  ggml_backend_meta_device(
    devs: PointerArgument,
    n_devs: number | bigint,
    get_split_state: PointerArgument,
    get_split_state_ud: PointerArgument,
  ): Pointer;
  ggml_backend_graph_copy(backend: PointerArgument, graph: PointerArgument): GgmlBackendGraphCopy;
  ggml_backend_graph_copy_free(copy: GgmlBackendGraphCopy): void;
  ggml_backend_compare_graph_backend(
    backend1: PointerArgument,
    backend2: PointerArgument,
    graph: PointerArgument,
    callback: PointerArgument,
    user_data: PointerArgument,
    test_nodes: PointerArgument,
    num_test_nodes: number | bigint,
  ): boolean;
  ggml_backend_tensor_alloc(buffer: PointerArgument, tensor: PointerArgument, addr: PointerArgument): number;
  ggml_backend_view_init(tensor: PointerArgument): number;
  ggml_backend_cpu_buffer_from_ptr(ptr: PointerArgument, size: number | bigint): Pointer;
  ggml_backend_cpu_buffer_type(): Pointer;
  ggml_opt_dataset_init(
    type_data: number,
    type_label: number,
    ne_datapoint: number | bigint,
    ne_label: number | bigint,
    ndata: number | bigint,
    ndata_shard: number | bigint,
  ): Pointer;
  ggml_opt_dataset_free(dataset: PointerArgument): void;
  ggml_opt_dataset_ndata(dataset: PointerArgument): number;
  ggml_opt_dataset_data(dataset: PointerArgument): Pointer;
  ggml_opt_dataset_labels(dataset: PointerArgument): Pointer;
  ggml_opt_dataset_shuffle(opt_ctx: PointerArgument, dataset: PointerArgument, idata: number | bigint): void;
  ggml_opt_dataset_get_batch(
    dataset: PointerArgument,
    data_batch: PointerArgument,
    labels_batch: PointerArgument,
    ibatch: number | bigint,
  ): void;
  ggml_opt_dataset_get_batch_host(
    dataset: PointerArgument,
    data_batch: PointerArgument,
    nb_data_batch: number | bigint,
    labels_batch: PointerArgument,
    ibatch: number | bigint,
  ): void;
  ggml_opt_get_default_optimizer_params(userdata: PointerArgument): GgmlOptOptimizerParams;
  ggml_opt_get_constant_optimizer_params(userdata: PointerArgument): GgmlOptOptimizerParams;
  ggml_opt_default_params(backend_sched: PointerArgument, loss_type: number): GgmlOptParams;
  ggml_opt_init(params: GgmlOptParams): Pointer;
  ggml_opt_free(opt_ctx: PointerArgument): void;
  ggml_opt_reset(opt_ctx: PointerArgument, optimizer: boolean): void;
  ggml_opt_static_graphs(opt_ctx: PointerArgument): boolean;
  ggml_opt_inputs(opt_ctx: PointerArgument): Pointer;
  ggml_opt_outputs(opt_ctx: PointerArgument): Pointer;
  ggml_opt_labels(opt_ctx: PointerArgument): Pointer;
  ggml_opt_loss(opt_ctx: PointerArgument): Pointer;
  ggml_opt_pred(opt_ctx: PointerArgument): Pointer;
  ggml_opt_ncorrect(opt_ctx: PointerArgument): Pointer;
  ggml_opt_grad_acc(opt_ctx: PointerArgument, node: PointerArgument): Pointer;
  ggml_opt_context_optimizer_type(argument0: PointerArgument): number;
  ggml_opt_optimizer_name(argument0: number): string | null;
  ggml_opt_result_init(): Pointer;
  ggml_opt_result_free(result: PointerArgument): void;
  ggml_opt_result_reset(result: PointerArgument): void;
  ggml_opt_result_ndata(result: PointerArgument, ndata: PointerArgument): void;
  ggml_opt_result_loss(result: PointerArgument, loss: PointerArgument, unc: PointerArgument): void;
  ggml_opt_result_pred(result: PointerArgument, pred: PointerArgument): void;
  ggml_opt_result_accuracy(result: PointerArgument, accuracy: PointerArgument, unc: PointerArgument): void;
  ggml_opt_prepare_alloc(
    opt_ctx: PointerArgument,
    ctx_compute: PointerArgument,
    gf: PointerArgument,
    inputs: PointerArgument,
    outputs: PointerArgument,
  ): void;
  ggml_opt_alloc(opt_ctx: PointerArgument, backward: boolean): void;
  ggml_opt_eval(opt_ctx: PointerArgument, result: PointerArgument): void;
  ggml_opt_epoch(
    opt_ctx: PointerArgument,
    dataset: PointerArgument,
    result_train: PointerArgument,
    result_eval: PointerArgument,
    idata_split: number | bigint,
    callback_train: PointerArgument,
    callback_eval: PointerArgument,
  ): void;
  ggml_opt_epoch_callback_progress_bar(
    train: boolean,
    opt_ctx: PointerArgument,
    dataset: PointerArgument,
    result: PointerArgument,
    ibatch: number | bigint,
    ibatch_max: number | bigint,
    t_start_us: number | bigint,
  ): void;
  ggml_opt_fit(
    backend_sched: PointerArgument,
    ctx_compute: PointerArgument,
    inputs: PointerArgument,
    outputs: PointerArgument,
    dataset: PointerArgument,
    loss_type: number,
    optimizer: number,
    get_opt_pars: PointerArgument,
    nepoch: number | bigint,
    nbatch_logical: number | bigint,
    val_split: number,
    silent: boolean,
  ): void;
  gguf_init_empty(): Pointer;
  gguf_init_from_file_ptr(file: PointerArgument, params: GgufInitParams): Pointer;
  gguf_init_from_file(fname: TextArgument, params: GgufInitParams): Pointer;
  gguf_init_from_buffer(data: PointerArgument, size: number | bigint, params: GgufInitParams): Pointer;
  gguf_init_from_callback(
    callback: PointerArgument,
    userdata: PointerArgument,
    max_chunk_read: number | bigint,
    max_expected_size: number | bigint,
    params: GgufInitParams,
  ): Pointer;
  gguf_free(ctx: PointerArgument): void;
  gguf_type_name(type: number): string | null;
  gguf_get_version(ctx: PointerArgument): number;
  gguf_get_alignment(ctx: PointerArgument): number;
  gguf_get_data_offset(ctx: PointerArgument): number;
  gguf_get_n_kv(ctx: PointerArgument): number;
  gguf_find_key(ctx: PointerArgument, key: TextArgument): number;
  gguf_get_key(ctx: PointerArgument, key_id: number | bigint): string | null;
  gguf_get_kv_type(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_arr_type(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_u8(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_i8(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_u16(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_i16(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_u32(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_i32(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_f32(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_u64(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_i64(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_f64(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_val_bool(ctx: PointerArgument, key_id: number | bigint): boolean;
  gguf_get_val_str(ctx: PointerArgument, key_id: number | bigint): string | null;
  gguf_get_val_data(ctx: PointerArgument, key_id: number | bigint): Pointer;
  gguf_get_arr_n(ctx: PointerArgument, key_id: number | bigint): number;
  gguf_get_arr_data(ctx: PointerArgument, key_id: number | bigint): Pointer;
  gguf_get_arr_str(ctx: PointerArgument, key_id: number | bigint, i: number | bigint): string | null;
  gguf_get_n_tensors(ctx: PointerArgument): number;
  gguf_find_tensor(ctx: PointerArgument, name: TextArgument): number;
  gguf_get_tensor_offset(ctx: PointerArgument, tensor_id: number | bigint): number;
  gguf_get_tensor_name(ctx: PointerArgument, tensor_id: number | bigint): string | null;
  gguf_get_tensor_ne(ctx: PointerArgument, tensor_id: number | bigint): Pointer;
  gguf_get_tensor_type(ctx: PointerArgument, tensor_id: number | bigint): number;
  gguf_get_tensor_size(ctx: PointerArgument, tensor_id: number | bigint): number;
  gguf_remove_key(ctx: PointerArgument, key: TextArgument): number;
  gguf_set_val_u8(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_i8(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_u16(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_i16(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_u32(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_i32(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_f32(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_u64(ctx: PointerArgument, key: TextArgument, val: number | bigint): void;
  gguf_set_val_i64(ctx: PointerArgument, key: TextArgument, val: number | bigint): void;
  gguf_set_val_f64(ctx: PointerArgument, key: TextArgument, val: number): void;
  gguf_set_val_bool(ctx: PointerArgument, key: TextArgument, val: boolean): void;
  gguf_set_val_str(ctx: PointerArgument, key: TextArgument, val: TextArgument): void;
  gguf_set_arr_data(
    ctx: PointerArgument,
    key: TextArgument,
    type: number,
    data: PointerArgument,
    n: number | bigint,
  ): void;
  gguf_set_arr_str(ctx: PointerArgument, key: TextArgument, data: PointerArgument, n: number | bigint): void;
  gguf_set_kv(ctx: PointerArgument, src: PointerArgument): void;
  gguf_add_tensor(ctx: PointerArgument, tensor: PointerArgument): void;
  gguf_set_tensor_type(ctx: PointerArgument, name: TextArgument, type: number): void;
  gguf_set_tensor_data(ctx: PointerArgument, name: TextArgument, data: PointerArgument): void;
  gguf_write_to_file_ptr(ctx: PointerArgument, file: PointerArgument, only_meta: boolean): boolean;
  gguf_write_to_file(ctx: PointerArgument, fname: TextArgument, only_meta: boolean): boolean;
  gguf_get_meta_size(ctx: PointerArgument): number;
  gguf_get_meta_data(ctx: PointerArgument, data: PointerArgument): void;
  llama_ftype_name(ftype: number): string | null;
  llama_flash_attn_type_name(flash_attn_type: number): string | null;
  llama_load_mode_name(load_mode: number): string | null;
  llama_load_mode_from_str(str: TextArgument): number;
  llama_version(): string | null;
  llama_model_default_params(): LlamaModelParams;
  llama_context_default_params(): LlamaContextParams;
  llama_sampler_chain_default_params(): LlamaSamplerChainParams;
  llama_model_quantize_default_params(): LlamaModelQuantizeParams;
  llama_backend_init(): void;
  llama_backend_free(): void;
  llama_numa_init(numa: number): void;
  llama_attach_threadpool(ctx: PointerArgument, threadpool: PointerArgument, threadpool_batch: PointerArgument): void;
  llama_detach_threadpool(ctx: PointerArgument): void;
  llama_model_init_from_user(
    metadata: PointerArgument,
    set_tensor_data: PointerArgument,
    set_tensor_data_ud: PointerArgument,
    params: LlamaModelParams,
  ): Pointer;
  llama_model_load_from_file(path_model: TextArgument, params: LlamaModelParams): Pointer;
  llama_model_load_from_file_ptr(file: PointerArgument, params: LlamaModelParams): Pointer;
  llama_model_load_from_splits(paths: PointerArgument, n_paths: number | bigint, params: LlamaModelParams): Pointer;
  llama_model_save_to_file(model: PointerArgument, path_model: TextArgument): void;
  llama_model_free(model: PointerArgument): void;
  llama_init_from_model(model: PointerArgument, params: LlamaContextParams): Pointer;
  llama_free(ctx: PointerArgument): void;
  llama_time_us(): number;
  llama_max_devices(): number;
  llama_max_parallel_sequences(): number;
  llama_max_tensor_buft_overrides(): number;
  llama_supports_mmap(): boolean;
  llama_supports_mlock(): boolean;
  llama_supports_gpu_offload(): boolean;
  llama_supports_rpc(): boolean;
  llama_n_ctx(ctx: PointerArgument): number;
  llama_n_ctx_seq(ctx: PointerArgument): number;
  llama_n_batch(ctx: PointerArgument): number;
  llama_n_ubatch(ctx: PointerArgument): number;
  llama_n_seq_max(ctx: PointerArgument): number;
  llama_n_rs_seq(ctx: PointerArgument): number;
  llama_get_model(ctx: PointerArgument): Pointer;
  llama_get_memory(ctx: PointerArgument): Pointer;
  llama_pooling_type(ctx: PointerArgument): number;
  llama_model_get_vocab(model: PointerArgument): Pointer;
  llama_model_rope_type(model: PointerArgument): number;
  llama_model_n_ctx_train(model: PointerArgument): number;
  llama_model_n_embd(model: PointerArgument): number;
  llama_model_n_embd_inp(model: PointerArgument): number;
  llama_model_n_embd_out(model: PointerArgument): number;
  llama_model_n_layer(model: PointerArgument): number;
  llama_model_n_layer_nextn(model: PointerArgument): number;
  llama_model_n_head(model: PointerArgument): number;
  llama_model_n_head_kv(model: PointerArgument): number;
  llama_model_n_swa(model: PointerArgument): number;
  llama_model_rope_freq_scale_train(model: PointerArgument): number;
  llama_model_n_cls_out(model: PointerArgument): number;
  llama_model_cls_label(model: PointerArgument, i: number): string | null;
  llama_vocab_type(vocab: PointerArgument): number;
  llama_vocab_n_tokens(vocab: PointerArgument): number;
  llama_model_meta_val_str(
    model: PointerArgument,
    key: TextArgument,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_model_meta_count(model: PointerArgument): number;
  llama_model_meta_key_str(key: number): string | null;
  llama_model_meta_key_by_index(
    model: PointerArgument,
    i: number,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_model_meta_val_str_by_index(
    model: PointerArgument,
    i: number,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_model_desc(model: PointerArgument, buf: PointerArgument, buf_size: number | bigint): number;
  llama_model_ftype(model: PointerArgument): number;
  llama_model_size(model: PointerArgument): number;
  llama_model_chat_template(model: PointerArgument, name: TextArgument): string | null;
  llama_model_n_params(model: PointerArgument): number;
  llama_model_has_encoder(model: PointerArgument): boolean;
  llama_model_has_decoder(model: PointerArgument): boolean;
  llama_model_decoder_start_token(model: PointerArgument): number;
  llama_model_is_recurrent(model: PointerArgument): boolean;
  llama_model_is_hybrid(model: PointerArgument): boolean;
  llama_model_is_diffusion(model: PointerArgument): boolean;
  llama_model_quantize(fname_inp: TextArgument, fname_out: TextArgument, params: PointerArgument): number;
  llama_adapter_lora_init(model: PointerArgument, path_lora: TextArgument): Pointer;
  llama_adapter_lora_init_from_file_ptr(model: PointerArgument, file: PointerArgument): Pointer;
  llama_adapter_meta_val_str(
    adapter: PointerArgument,
    key: TextArgument,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_adapter_meta_count(adapter: PointerArgument): number;
  llama_adapter_meta_key_by_index(
    adapter: PointerArgument,
    i: number,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_adapter_meta_val_str_by_index(
    adapter: PointerArgument,
    i: number,
    buf: PointerArgument,
    buf_size: number | bigint,
  ): number;
  llama_adapter_lora_free(adapter: PointerArgument): void;
  llama_adapter_get_alora_n_invocation_tokens(adapter: PointerArgument): number;
  llama_adapter_get_alora_invocation_tokens(adapter: PointerArgument): Pointer;
  llama_set_adapters_lora(
    ctx: PointerArgument,
    adapters: PointerArgument,
    n_adapters: number | bigint,
    scales: PointerArgument,
  ): number;
  llama_set_adapter_cvec(
    ctx: PointerArgument,
    data: PointerArgument,
    len: number | bigint,
    n_embd: number,
    il_start: number,
    il_end: number,
  ): number;
  llama_memory_clear(mem: PointerArgument, data: boolean): void;
  llama_memory_seq_rm(mem: PointerArgument, seq_id: number, p0: number, p1: number): boolean;
  llama_memory_seq_cp(mem: PointerArgument, seq_id_src: number, seq_id_dst: number, p0: number, p1: number): void;
  llama_memory_seq_keep(mem: PointerArgument, seq_id: number): void;
  llama_memory_seq_add(mem: PointerArgument, seq_id: number, p0: number, p1: number, delta: number): void;
  llama_memory_seq_div(mem: PointerArgument, seq_id: number, p0: number, p1: number, d: number): void;
  llama_memory_seq_pos_min(mem: PointerArgument, seq_id: number): number;
  llama_memory_seq_pos_max(mem: PointerArgument, seq_id: number): number;
  llama_memory_can_shift(mem: PointerArgument): boolean;
  llama_state_get_size(ctx: PointerArgument): number;
  llama_state_get_data(ctx: PointerArgument, dst: PointerArgument, size: number | bigint): number;
  llama_state_set_data(ctx: PointerArgument, src: PointerArgument, size: number | bigint): number;
  llama_state_load_file(
    ctx: PointerArgument,
    path_session: TextArgument,
    tokens_out: PointerArgument,
    n_token_capacity: number | bigint,
    n_token_count_out: PointerArgument,
  ): boolean;
  llama_state_save_file(
    ctx: PointerArgument,
    path_session: TextArgument,
    tokens: PointerArgument,
    n_token_count: number | bigint,
  ): boolean;
  llama_state_seq_get_size(ctx: PointerArgument, seq_id: number): number;
  llama_state_seq_get_data(ctx: PointerArgument, dst: PointerArgument, size: number | bigint, seq_id: number): number;
  llama_state_seq_set_data(
    ctx: PointerArgument,
    src: PointerArgument,
    size: number | bigint,
    dest_seq_id: number,
  ): number;
  llama_state_seq_save_file(
    ctx: PointerArgument,
    filepath: TextArgument,
    seq_id: number,
    tokens: PointerArgument,
    n_token_count: number | bigint,
  ): number;
  llama_state_seq_load_file(
    ctx: PointerArgument,
    filepath: TextArgument,
    dest_seq_id: number,
    tokens_out: PointerArgument,
    n_token_capacity: number | bigint,
    n_token_count_out: PointerArgument,
  ): number;
  llama_state_seq_get_size_ext(ctx: PointerArgument, seq_id: number, flags: number): number;
  llama_state_seq_get_data_ext(
    ctx: PointerArgument,
    dst: PointerArgument,
    size: number | bigint,
    seq_id: number,
    flags: number,
  ): number;
  llama_state_seq_set_data_ext(
    ctx: PointerArgument,
    src: PointerArgument,
    size: number | bigint,
    dest_seq_id: number,
    flags: number,
  ): number;
  llama_batch_get_one(tokens: PointerArgument, n_tokens: number): LlamaBatch;
  llama_batch_init(n_tokens: number, embd: number, n_seq_max: number): LlamaBatch;
  llama_batch_free(batch: LlamaBatch): void;
  llama_encode(ctx: PointerArgument, batch: LlamaBatch): number;
  llama_decode(ctx: PointerArgument, batch: LlamaBatch): number;
  llama_set_n_threads(ctx: PointerArgument, n_threads: number, n_threads_batch: number): void;
  llama_n_threads(ctx: PointerArgument): number;
  llama_n_threads_batch(ctx: PointerArgument): number;
  llama_set_embeddings(ctx: PointerArgument, embeddings: boolean): void;
  llama_set_causal_attn(ctx: PointerArgument, causal_attn: boolean): void;
  llama_set_abort_callback(
    ctx: PointerArgument,
    abort_callback: PointerArgument,
    abort_callback_data: PointerArgument,
  ): void;
  llama_synchronize(ctx: PointerArgument): void;
  llama_get_logits(ctx: PointerArgument): Pointer;
  llama_get_logits_ith(ctx: PointerArgument, i: number): Pointer;
  llama_get_embeddings(ctx: PointerArgument): Pointer;
  llama_get_embeddings_ith(ctx: PointerArgument, i: number): Pointer;
  llama_get_embeddings_seq(ctx: PointerArgument, seq_id: number): Pointer;
  llama_get_sampled_token_ith(ctx: PointerArgument, i: number): number;
  llama_get_sampled_probs_ith(ctx: PointerArgument, i: number): Pointer;
  llama_get_sampled_probs_count_ith(ctx: PointerArgument, i: number): number;
  llama_get_sampled_logits_ith(ctx: PointerArgument, i: number): Pointer;
  llama_get_sampled_logits_count_ith(ctx: PointerArgument, i: number): number;
  llama_get_sampled_candidates_ith(ctx: PointerArgument, i: number): Pointer;
  llama_get_sampled_candidates_count_ith(ctx: PointerArgument, i: number): number;
  llama_vocab_get_text(vocab: PointerArgument, token: number): string | null;
  llama_vocab_get_score(vocab: PointerArgument, token: number): number;
  llama_vocab_get_attr(vocab: PointerArgument, token: number): number;
  llama_vocab_is_eog(vocab: PointerArgument, token: number): boolean;
  llama_vocab_is_control(vocab: PointerArgument, token: number): boolean;
  llama_vocab_bos(vocab: PointerArgument): number;
  llama_vocab_eos(vocab: PointerArgument): number;
  llama_vocab_eot(vocab: PointerArgument): number;
  llama_vocab_sep(vocab: PointerArgument): number;
  llama_vocab_nl(vocab: PointerArgument): number;
  llama_vocab_pad(vocab: PointerArgument): number;
  llama_vocab_mask(vocab: PointerArgument): number;
  llama_vocab_get_add_bos(vocab: PointerArgument): boolean;
  llama_vocab_get_add_eos(vocab: PointerArgument): boolean;
  llama_vocab_get_add_sep(vocab: PointerArgument): boolean;
  llama_vocab_get_suppress_tokens(vocab: PointerArgument, n_suppress_tokens: PointerArgument): Pointer;
  llama_vocab_fim_pre(vocab: PointerArgument): number;
  llama_vocab_fim_suf(vocab: PointerArgument): number;
  llama_vocab_fim_mid(vocab: PointerArgument): number;
  llama_vocab_fim_pad(vocab: PointerArgument): number;
  llama_vocab_fim_rep(vocab: PointerArgument): number;
  llama_vocab_fim_sep(vocab: PointerArgument): number;
  llama_tokenize(
    vocab: PointerArgument,
    text: TextArgument,
    text_len: number,
    tokens: PointerArgument,
    n_tokens_max: number,
    add_special: boolean,
    parse_special: boolean,
  ): number;
  llama_token_to_piece(
    vocab: PointerArgument,
    token: number,
    buf: PointerArgument,
    length: number,
    lstrip: number,
    special: boolean,
  ): number;
  llama_detokenize(
    vocab: PointerArgument,
    tokens: PointerArgument,
    n_tokens: number,
    text: PointerArgument,
    text_len_max: number,
    remove_special: boolean,
    unparse_special: boolean,
  ): number;
  llama_chat_apply_template(
    tmpl: TextArgument,
    chat: PointerArgument,
    n_msg: number | bigint,
    add_ass: boolean,
    buf: PointerArgument,
    length: number,
  ): number;
  llama_chat_builtin_templates(output: PointerArgument, len: number | bigint): number;
  llama_set_sampler(ctx: PointerArgument, seq_id: number, smpl: PointerArgument): boolean;
  llama_sampler_init(iface: PointerArgument, ctx: PointerArgument): Pointer;
  llama_sampler_name(smpl: PointerArgument): string | null;
  llama_sampler_accept(smpl: PointerArgument, token: number): void;
  llama_sampler_apply(smpl: PointerArgument, cur_p: PointerArgument): void;
  llama_sampler_reset(smpl: PointerArgument): void;
  llama_sampler_clone(smpl: PointerArgument): Pointer;
  llama_sampler_copy(src: PointerArgument, dst: PointerArgument): void;
  llama_sampler_free(smpl: PointerArgument): void;
  llama_sampler_chain_init(params: LlamaSamplerChainParams): Pointer;
  llama_sampler_chain_add(chain: PointerArgument, smpl: PointerArgument): void;
  llama_sampler_chain_get(chain: PointerArgument, i: number): Pointer;
  llama_sampler_chain_n(chain: PointerArgument): number;
  llama_sampler_chain_remove(chain: PointerArgument, i: number): Pointer;
  llama_sampler_init_greedy(): Pointer;
  llama_sampler_init_dist(seed: number): Pointer;
  llama_sampler_init_top_k(k: number): Pointer;
  llama_sampler_init_top_p(p: number, min_keep: number | bigint): Pointer;
  llama_sampler_init_min_p(p: number, min_keep: number | bigint): Pointer;
  llama_sampler_init_typical(p: number, min_keep: number | bigint): Pointer;
  llama_sampler_init_temp(t: number): Pointer;
  llama_sampler_init_temp_ext(t: number, delta: number, exponent: number): Pointer;
  llama_sampler_init_xtc(p: number, t: number, min_keep: number | bigint, seed: number): Pointer;
  llama_sampler_init_top_n_sigma(n: number): Pointer;
  llama_sampler_init_mirostat(n_vocab: number, seed: number, tau: number, eta: number, m: number): Pointer;
  llama_sampler_init_mirostat_v2(seed: number, tau: number, eta: number): Pointer;
  llama_sampler_init_grammar(vocab: PointerArgument, grammar_str: TextArgument, grammar_root: TextArgument): Pointer;
  llama_sampler_init_grammar_lazy_patterns(
    vocab: PointerArgument,
    grammar_str: TextArgument,
    grammar_root: TextArgument,
    trigger_patterns: PointerArgument,
    num_trigger_patterns: number | bigint,
    trigger_tokens: PointerArgument,
    num_trigger_tokens: number | bigint,
  ): Pointer;
  llama_sampler_init_penalties(
    n_vocab: number,
    penalty_last_n: number,
    penalty_repeat: number,
    penalty_freq: number,
    penalty_present: number,
  ): Pointer;
  llama_sampler_init_dry(
    vocab: PointerArgument,
    dry_multiplier: number,
    dry_base: number,
    dry_allowed_length: number,
    dry_penalty_last_n: number,
    seq_breakers: PointerArgument,
    num_breakers: number | bigint,
  ): Pointer;
  llama_sampler_init_adaptive_p(target: number, decay: number, seed: number): Pointer;
  llama_sampler_init_logit_bias(n_vocab: number, n_logit_bias: number, logit_bias: PointerArgument): Pointer;
  llama_sampler_init_infill(vocab: PointerArgument): Pointer;
  llama_sampler_get_seed(smpl: PointerArgument): number;
  llama_sampler_sample(smpl: PointerArgument, ctx: PointerArgument, idx: number): number;
  llama_split_path(
    split_path: PointerArgument,
    maxlen: number | bigint,
    path_prefix: TextArgument,
    split_no: number,
    split_count: number,
  ): number;
  llama_split_prefix(
    split_prefix: PointerArgument,
    maxlen: number | bigint,
    split_path: TextArgument,
    split_no: number,
    split_count: number,
  ): number;
  llama_print_system_info(): string | null;
  llama_log_get(log_callback: PointerArgument, user_data: PointerArgument): void;
  llama_log_set(log_callback: PointerArgument, user_data: PointerArgument): void;
  llama_perf_context(ctx: PointerArgument): LlamaPerfContextData;
  llama_perf_context_print(ctx: PointerArgument): void;
  llama_perf_context_reset(ctx: PointerArgument): void;
  llama_perf_sampler(chain: PointerArgument): LlamaPerfSamplerData;
  llama_perf_sampler_print(chain: PointerArgument): void;
  llama_perf_sampler_reset(chain: PointerArgument): void;
  llama_opt_param_filter_all(tensor: PointerArgument, userdata: PointerArgument): boolean;
  llama_opt_init(lctx: PointerArgument, model: PointerArgument, lopt_params: LlamaOptParams): void;
  llama_opt_epoch(
    lctx: PointerArgument,
    dataset: PointerArgument,
    result_train: PointerArgument,
    result_eval: PointerArgument,
    idata_split: number | bigint,
    callback_train: PointerArgument,
    callback_eval: PointerArgument,
  ): void;
}

/** What only a backend has: found by name in its registration. */
export interface BackendFunctions {
  ggml_numa_init(numa: number): void;
  ggml_is_numa(): boolean;
  ggml_new_i32(ctx: PointerArgument, value: number): Pointer;
  ggml_new_f32(ctx: PointerArgument, value: number): Pointer;
  ggml_set_i32(tensor: PointerArgument, value: number): Pointer;
  ggml_set_f32(tensor: PointerArgument, value: number): Pointer;
  ggml_get_i32_1d(tensor: PointerArgument, i: number): number;
  ggml_set_i32_1d(tensor: PointerArgument, i: number, value: number): void;
  ggml_get_i32_nd(tensor: PointerArgument, i0: number, i1: number, i2: number, i3: number): number;
  ggml_set_i32_nd(tensor: PointerArgument, i0: number, i1: number, i2: number, i3: number, value: number): void;
  ggml_get_f32_1d(tensor: PointerArgument, i: number): number;
  ggml_set_f32_1d(tensor: PointerArgument, i: number, value: number): void;
  ggml_get_f32_nd(tensor: PointerArgument, i0: number, i1: number, i2: number, i3: number): number;
  ggml_set_f32_nd(tensor: PointerArgument, i0: number, i1: number, i2: number, i3: number, value: number): void;
  ggml_threadpool_new(params: PointerArgument): Pointer;
  ggml_threadpool_free(threadpool: PointerArgument): void;
  ggml_threadpool_get_n_threads(threadpool: PointerArgument): number;
  ggml_threadpool_pause(threadpool: PointerArgument): void;
  ggml_threadpool_resume(threadpool: PointerArgument): void;
  ggml_graph_plan(cgraph: PointerArgument, n_threads: number, threadpool: PointerArgument): GgmlCplan;
  ggml_graph_compute(cgraph: PointerArgument, cplan: PointerArgument): number;
  ggml_graph_compute_with_ctx(ctx: PointerArgument, cgraph: PointerArgument, n_threads: number): number;
  ggml_cpu_has_sse3(): number;
  ggml_cpu_has_ssse3(): number;
  ggml_cpu_has_avx(): number;
  ggml_cpu_has_avx_vnni(): number;
  ggml_cpu_has_avx2(): number;
  ggml_cpu_has_bmi2(): number;
  ggml_cpu_has_f16c(): number;
  ggml_cpu_has_fma(): number;
  ggml_cpu_has_avx512(): number;
  ggml_cpu_has_avx512_vbmi(): number;
  ggml_cpu_has_avx512_vnni(): number;
  ggml_cpu_has_avx512_bf16(): number;
  ggml_cpu_has_amx_int8(): number;
  ggml_cpu_has_neon(): number;
  ggml_cpu_has_arm_fma(): number;
  ggml_cpu_has_fp16_va(): number;
  ggml_cpu_has_dotprod(): number;
  ggml_cpu_has_matmul_int8(): number;
  ggml_cpu_has_sve(): number;
  ggml_cpu_get_sve_cnt(): number;
  ggml_cpu_has_sme(): number;
  ggml_cpu_has_sme2(): number;
  ggml_cpu_has_riscv_v(): number;
  ggml_cpu_get_rvv_vlen(): number;
  ggml_cpu_has_vsx(): number;
  ggml_cpu_has_vxe(): number;
  ggml_cpu_has_wasm_simd(): number;
  ggml_cpu_has_llamafile(): number;
  ggml_get_type_traits_cpu(type: number): Pointer;
  ggml_cpu_init(): void;
  ggml_backend_cpu_init(): Pointer;
  ggml_backend_is_cpu(backend: PointerArgument): boolean;
  ggml_backend_cpu_set_n_threads(backend_cpu: PointerArgument, n_threads: number): void;
  ggml_backend_cpu_set_threadpool(backend_cpu: PointerArgument, threadpool: PointerArgument): void;
  ggml_backend_cpu_set_abort_callback(
    backend_cpu: PointerArgument,
    abort_callback: PointerArgument,
    abort_callback_data: PointerArgument,
  ): void;
  ggml_backend_cpu_set_use_ref(backend_cpu: PointerArgument, use_ref: boolean): void;
  ggml_backend_cpu_reg(): Pointer;
  ggml_cpu_fp32_to_fp32(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_cpu_fp32_to_i32(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_cpu_fp32_to_fp16(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_cpu_fp16_to_fp32(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_cpu_fp32_to_bf16(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
  ggml_cpu_bf16_to_fp32(argument0: PointerArgument, argument1: PointerArgument, argument2: number | bigint): void;
}

/** Structs by their names in C. */
export interface NativeStructs {
  ggml_bf16_t: GgmlBf16T;
  ggml_init_params: GgmlInitParams;
  ggml_tensor: GgmlTensor;
  ggml_type_traits: GgmlTypeTraits;
  ggml_threadpool_params: GgmlThreadpoolParams;
  ggml_tallocr: GgmlTallocr;
  ggml_backend_dev_caps: GgmlBackendDevCaps;
  ggml_backend_dev_props: GgmlBackendDevProps;
  ggml_backend_feature: GgmlBackendFeature;
  ggml_backend_meta_split_state: GgmlBackendMetaSplitState;
  ggml_backend_graph_copy: GgmlBackendGraphCopy;
  ggml_cplan: GgmlCplan;
  ggml_type_traits_cpu: GgmlTypeTraitsCpu;
  ggml_opt_optimizer_params_adamw: GgmlOptOptimizerParamsAdamw;
  ggml_opt_optimizer_params_sgd: GgmlOptOptimizerParamsSgd;
  ggml_opt_optimizer_params: GgmlOptOptimizerParams;
  ggml_opt_params: GgmlOptParams;
  gguf_init_params: GgufInitParams;
  llama_token_data: LlamaTokenData;
  llama_token_data_array: LlamaTokenDataArray;
  llama_batch: LlamaBatch;
  llama_model_kv_override: LlamaModelKvOverride;
  llama_model_tensor_buft_override: LlamaModelTensorBuftOverride;
  llama_model_params: LlamaModelParams;
  llama_sampler_seq_config: LlamaSamplerSeqConfig;
  llama_context_params: LlamaContextParams;
  llama_model_tensor_override: LlamaModelTensorOverride;
  llama_model_imatrix_data: LlamaModelImatrixData;
  llama_model_quantize_params: LlamaModelQuantizeParams;
  llama_logit_bias: LlamaLogitBias;
  llama_sampler_chain_params: LlamaSamplerChainParams;
  llama_chat_message: LlamaChatMessage;
  llama_sampler_data: LlamaSamplerData;
  llama_sampler_i: LlamaSamplerI;
  llama_sampler: LlamaSampler;
  llama_perf_context_data: LlamaPerfContextData;
  llama_perf_sampler_data: LlamaPerfSamplerData;
  llama_opt_params: LlamaOptParams;
}

export interface GgmlBf16T {
  bits: number;
}

export interface GgmlInitParams {
  mem_size: number;
  mem_buffer: Pointer | null;
  no_alloc: boolean;
}

export interface GgmlTensor {
  type: number;
  buffer: Pointer | null;
  ne: ArrayLike<number | bigint>;
  nb: ArrayLike<number | bigint>;
  op: number;
  op_params: ArrayLike<number>;
  flags: number;
  src: ArrayLike<Pointer | null>;
  view_src: Pointer | null;
  view_offs: number;
  data: Pointer | null;
  name: ArrayLike<number>;
  extra: Pointer | null;
  padding: ArrayLike<number>;
}

export interface GgmlTypeTraits {
  type_name: string | null;
  blck_size: number;
  blck_size_interleave: number;
  type_size: number;
  is_quantized: boolean;
  to_float: Pointer | null;
  from_float_ref: Pointer | null;
}

export interface GgmlThreadpoolParams {
  cpumask: ArrayLike<boolean>;
  n_threads: number;
  prio: number;
  poll: number;
  strict_cpu: boolean;
  paused: boolean;
}

export interface GgmlTallocr {
  buffer: Pointer | null;
  base: Pointer | null;
  alignment: number;
  offset: number;
}

export interface GgmlBackendDevCaps {
  async: boolean;
  host_buffer: boolean;
  buffer_from_host_ptr: boolean;
  events: boolean;
  mmap_support: boolean;
}

export interface GgmlBackendDevProps {
  name: string | null;
  description: string | null;
  memory_free: number;
  memory_total: number;
  type: number;
  device_id: string | null;
  caps: GgmlBackendDevCaps;
}

export interface GgmlBackendFeature {
  name: string | null;
  value: string | null;
}

export interface GgmlBackendMetaSplitState {
  axis: number;
  ne: ArrayLike<number | bigint>;
  nr: ArrayLike<number>;
  n_segments: number;
}

export interface GgmlBackendGraphCopy {
  buffer: Pointer | null;
  ctx_allocated: Pointer | null;
  ctx_unallocated: Pointer | null;
  graph: Pointer | null;
}

export interface GgmlCplan {
  work_size: number;
  work_data: Pointer | null;
  n_threads: number;
  threadpool: Pointer | null;
  abort_callback: Pointer | null;
  abort_callback_data: Pointer | null;
  use_ref: boolean;
}

export interface GgmlTypeTraitsCpu {
  from_float: Pointer | null;
  vec_dot: Pointer | null;
  vec_dot_type: number;
  nrows: number;
}

export interface GgmlOptOptimizerParamsAdamw {
  alpha: number;
  beta1: number;
  beta2: number;
  eps: number;
  wd: number;
}

export interface GgmlOptOptimizerParamsSgd {
  alpha: number;
  wd: number;
}

export interface GgmlOptOptimizerParams {
  adamw: GgmlOptOptimizerParamsAdamw;
  sgd: GgmlOptOptimizerParamsSgd;
}

export interface GgmlOptParams {
  backend_sched: Pointer | null;
  ctx_compute: Pointer | null;
  inputs: Pointer | null;
  outputs: Pointer | null;
  loss_type: number;
  build_type: number;
  opt_period: number;
  get_opt_pars: Pointer | null;
  get_opt_pars_ud: Pointer | null;
  optimizer: number;
}

export interface GgufInitParams {
  no_alloc: boolean;
  ctx: Pointer | null;
}

export interface LlamaTokenData {
  id: number;
  logit: number;
  p: number;
}

export interface LlamaTokenDataArray {
  data: Pointer | null;
  size: number;
  selected: number;
  sorted: boolean;
}

export interface LlamaBatch {
  n_tokens: number;
  token: Pointer | null;
  embd: Pointer | null;
  pos: Pointer | null;
  n_seq_id: Pointer | null;
  seq_id: Pointer | null;
  logits: Pointer | null;
}

export interface LlamaModelKvOverride {
  tag: number;
  key: ArrayLike<number>;
}

export interface LlamaModelTensorBuftOverride {
  pattern: string | null;
  buft: Pointer | null;
}

export interface LlamaModelParams {
  devices: Pointer | null;
  tensor_buft_overrides: Pointer | null;
  n_gpu_layers: number;
  split_mode: number;
  load_mode: number;
  lazy_mode: number;
  main_gpu: number;
  tensor_split: Pointer | null;
  progress_callback: Pointer | null;
  progress_callback_user_data: Pointer | null;
  kv_overrides: Pointer | null;
  vocab_only: boolean;
  check_tensors: boolean;
  use_extra_bufts: boolean;
  no_host: boolean;
  no_alloc: boolean;
  load_mtp: boolean;
}

export interface LlamaSamplerSeqConfig {
  seq_id: number;
  sampler: Pointer | null;
}

export interface LlamaContextParams {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_seq_max: number;
  n_rs_seq: number;
  n_outputs_max: number;
  n_outputs_max_per_seq: number;
  n_threads: number;
  n_threads_batch: number;
  ctx_type: number;
  rope_scaling_type: number;
  pooling_type: number;
  attention_type: number;
  flash_attn_type: number;
  rope_freq_base: number;
  rope_freq_scale: number;
  yarn_ext_factor: number;
  yarn_attn_factor: number;
  yarn_beta_fast: number;
  yarn_beta_slow: number;
  yarn_orig_ctx: number;
  defrag_thold: number;
  cb_eval: Pointer | null;
  cb_eval_user_data: Pointer | null;
  type_k: number;
  type_v: number;
  abort_callback: Pointer | null;
  abort_callback_data: Pointer | null;
  embeddings: boolean;
  offload_kqv: boolean;
  no_perf: boolean;
  op_offload: boolean;
  swa_full: boolean;
  kv_unified: boolean;
  samplers: Pointer | null;
  n_samplers: number;
  ctx_other: Pointer | null;
}

export interface LlamaModelTensorOverride {
  pattern: string | null;
  type: number;
}

export interface LlamaModelImatrixData {
  name: string | null;
  data: Pointer | null;
  size: number;
}

export interface LlamaModelQuantizeParams {
  nthread: number;
  ftype: number;
  output_tensor_type: number;
  token_embedding_type: number;
  allow_requantize: boolean;
  quantize_output_tensor: boolean;
  only_copy: boolean;
  pure: boolean;
  keep_split: boolean;
  dry_run: boolean;
  imatrix: Pointer | null;
  kv_overrides: Pointer | null;
  tt_overrides: Pointer | null;
  prune_layers: Pointer | null;
  max_buf_size: number;
}

export interface LlamaLogitBias {
  token: number;
  bias: number;
}

export interface LlamaSamplerChainParams {
  no_perf: boolean;
}

export interface LlamaChatMessage {
  role: string | null;
  content: string | null;
}

export interface LlamaSamplerData {
  logits: Pointer | null;
  probs: Pointer | null;
  sampled: Pointer | null;
  candidates: Pointer | null;
}

export interface LlamaSamplerI {
  name: Pointer | null;
  accept: Pointer | null;
  apply: Pointer | null;
  reset: Pointer | null;
  clone: Pointer | null;
  free: Pointer | null;
  backend_init: Pointer | null;
  backend_accept: Pointer | null;
  backend_apply: Pointer | null;
  backend_set_input: Pointer | null;
  backend_reset: Pointer | null;
  copy_state: Pointer | null;
}

export interface LlamaSampler {
  iface: Pointer | null;
  ctx: Pointer | null;
}

export interface LlamaPerfContextData {
  t_start_ms: number;
  t_load_ms: number;
  t_p_eval_ms: number;
  t_eval_ms: number;
  n_p_eval: number;
  n_eval: number;
  n_reused: number;
}

export interface LlamaPerfSamplerData {
  t_sample_ms: number;
  n_sample: number;
}

export interface LlamaOptParams {
  n_ctx_train: number;
  param_filter: Pointer | null;
  param_filter_ud: Pointer | null;
  get_opt_pars: Pointer | null;
  get_opt_pars_ud: Pointer | null;
  optimizer_type: number;
}

export const GgmlStatus = {
  ALLOC_FAILED: -2,
  FAILED: -1,
  SUCCESS: 0,
  ABORTED: 1,
} as const;

export const GgmlType = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q8_1: 9,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  Q8_K: 15,
  IQ2_XXS: 16,
  IQ2_XS: 17,
  IQ3_XXS: 18,
  IQ1_S: 19,
  IQ4_NL: 20,
  IQ3_S: 21,
  IQ2_S: 22,
  IQ4_XS: 23,
  I8: 24,
  I16: 25,
  I32: 26,
  I64: 27,
  F64: 28,
  IQ1_M: 29,
  BF16: 30,
  TQ1_0: 34,
  TQ2_0: 35,
  MXFP4: 39,
  NVFP4: 40,
  Q1_0: 41,
  Q2_0: 42,
  COUNT: 43,
} as const;

export const GgmlPrec = {
  UNDEFINED: 0,
  DEFAULT: 0,
  F32: 10,
  BF16: 15,
  F16: 20,
  Q8: 30,
  Q4: 40,
} as const;

export const GgmlOpHint = {
  NONE: 0,
  SRC0_IS_HADAMARD: 1,
} as const;

export const GgmlFtype = {
  UNKNOWN: -1,
  ALL_F32: 0,
  MOSTLY_F16: 1,
  MOSTLY_Q4_0: 2,
  MOSTLY_Q4_1: 3,
  MOSTLY_Q4_1_SOME_F16: 4,
  MOSTLY_Q8_0: 7,
  MOSTLY_Q5_0: 8,
  MOSTLY_Q5_1: 9,
  MOSTLY_Q2_K: 10,
  MOSTLY_Q3_K: 11,
  MOSTLY_Q4_K: 12,
  MOSTLY_Q5_K: 13,
  MOSTLY_Q6_K: 14,
  MOSTLY_IQ2_XXS: 15,
  MOSTLY_IQ2_XS: 16,
  MOSTLY_IQ3_XXS: 17,
  MOSTLY_IQ1_S: 18,
  MOSTLY_IQ4_NL: 19,
  MOSTLY_IQ3_S: 20,
  MOSTLY_IQ2_S: 21,
  MOSTLY_IQ4_XS: 22,
  MOSTLY_IQ1_M: 23,
  MOSTLY_BF16: 24,
  MOSTLY_MXFP4: 25,
  MOSTLY_NVFP4: 26,
  MOSTLY_Q1_0: 27,
  MOSTLY_Q2_0: 28,
} as const;

export const GgmlOp = {
  NONE: 0,
  DUP: 1,
  ADD: 2,
  ADD_ID: 3,
  ADD1: 4,
  ACC: 5,
  SUB: 6,
  MUL: 7,
  DIV: 8,
  SQR: 9,
  SQRT: 10,
  LOG: 11,
  SIN: 12,
  COS: 13,
  SUM: 14,
  SUM_ROWS: 15,
  CUMSUM: 16,
  MEAN: 17,
  ARGMAX: 18,
  COUNT_EQUAL: 19,
  REPEAT: 20,
  REPEAT_BACK: 21,
  CONCAT: 22,
  SILU_BACK: 23,
  NORM: 24,
  RMS_NORM: 25,
  RMS_NORM_BACK: 26,
  GROUP_NORM: 27,
  L2_NORM: 28,
  MUL_MAT: 29,
  MUL_MAT_ID: 30,
  OUT_PROD: 31,
  SCALE: 32,
  SET: 33,
  CPY: 34,
  CONT: 35,
  RESHAPE: 36,
  VIEW: 37,
  PERMUTE: 38,
  TRANSPOSE: 39,
  GET_ROWS: 40,
  GET_ROWS_BACK: 41,
  SET_ROWS: 42,
  DIAG: 43,
  DIAG_MASK_INF: 44,
  DIAG_MASK_ZERO: 45,
  SOFT_MAX: 46,
  SOFT_MAX_BACK: 47,
  ROPE: 48,
  ROPE_BACK: 49,
  CLAMP: 50,
  CONV_TRANSPOSE_1D: 51,
  IM2COL: 52,
  IM2COL_BACK: 53,
  IM2COL_3D: 54,
  COL2IM_1D: 55,
  CONV_2D: 56,
  CONV_3D: 57,
  CONV_2D_DW: 58,
  CONV_TRANSPOSE_2D: 59,
  POOL_1D: 60,
  POOL_2D: 61,
  POOL_2D_BACK: 62,
  UPSCALE: 63,
  PAD: 64,
  PAD_REFLECT_1D: 65,
  ROLL: 66,
  ARANGE: 67,
  TIMESTEP_EMBEDDING: 68,
  ARGSORT: 69,
  TOP_K: 70,
  LEAKY_RELU: 71,
  TRI: 72,
  FILL: 73,
  FLASH_ATTN_EXT: 74,
  FLASH_ATTN_BACK: 75,
  SSM_CONV: 76,
  SSM_SCAN: 77,
  WIN_PART: 78,
  WIN_UNPART: 79,
  GET_REL_POS: 80,
  ADD_REL_POS: 81,
  RWKV_WKV6: 82,
  GATED_LINEAR_ATTN: 83,
  RWKV_WKV7: 84,
  SOLVE_TRI: 85,
  GATED_DELTA_NET: 86,
  LIGHTNING_INDEXER: 87,
  DSV4_HC_COMB: 88,
  DSV4_HC_PRE: 89,
  DSV4_HC_POST: 90,
  UNARY: 91,
  MAP_CUSTOM1: 92,
  MAP_CUSTOM2: 93,
  MAP_CUSTOM3: 94,
  CUSTOM: 95,
  CROSS_ENTROPY_LOSS: 96,
  CROSS_ENTROPY_LOSS_BACK: 97,
  OPT_STEP_ADAMW: 98,
  OPT_STEP_SGD: 99,
  GLU: 100,
  COUNT: 101,
} as const;

export const GgmlUnaryOp = {
  ABS: 0,
  SGN: 1,
  NEG: 2,
  STEP: 3,
  TANH: 4,
  ELU: 5,
  RELU: 6,
  SIGMOID: 7,
  GELU: 8,
  GELU_QUICK: 9,
  SILU: 10,
  HARDSWISH: 11,
  HARDSIGMOID: 12,
  EXP: 13,
  EXPM1: 14,
  SOFTPLUS: 15,
  GELU_ERF: 16,
  XIELU: 17,
  FLOOR: 18,
  CEIL: 19,
  ROUND: 20,
  TRUNC: 21,
  COUNT: 22,
} as const;

export const GgmlGluOp = {
  REGLU: 0,
  GEGLU: 1,
  SWIGLU: 2,
  SWIGLU_OAI: 3,
  GEGLU_ERF: 4,
  GEGLU_QUICK: 5,
  SWIGLU_CLAMP: 6,
  COUNT: 7,
} as const;

export const GgmlObjectType = {
  TENSOR: 0,
  GRAPH: 1,
  WORK_BUFFER: 2,
} as const;

export const GgmlLogLevel = {
  NONE: 0,
  DEBUG: 1,
  INFO: 2,
  WARN: 3,
  ERROR: 4,
  CONT: 5,
} as const;

export const GgmlTensorFlag = {
  INPUT: 1,
  OUTPUT: 2,
  PARAM: 4,
  LOSS: 8,
  COMPUTE: 16,
} as const;

export const GgmlTriType = {
  UPPER_DIAG: 0,
  UPPER: 1,
  LOWER_DIAG: 2,
  LOWER: 3,
} as const;

export const GgmlOpPool = {
  MAX: 0,
  AVG: 1,
  COUNT: 2,
} as const;

export const GgmlScaleMode = {
  NEAREST: 0,
  BILINEAR: 1,
  BICUBIC: 2,
  COUNT: 3,
} as const;

export const GgmlScaleFlag = {
  ALIGN_CORNERS: 256,
  ANTIALIAS: 512,
} as const;

export const GgmlSortOrder = {
  ASC: 0,
  DESC: 1,
} as const;

export const GgmlSchedPriority = {
  LOW: -1,
  NORMAL: 0,
  MEDIUM: 1,
  HIGH: 2,
  REALTIME: 3,
} as const;

export const GgmlBackendBufferUsage = {
  ANY: 0,
  WEIGHTS: 1,
  COMPUTE: 2,
} as const;

export const GgmlBackendDevType = {
  CPU: 0,
  GPU: 1,
  IGPU: 2,
  ACCEL: 3,
  META: 4,
} as const;

export const GgmlBackendMetaSplitAxis = {
  '0': 0,
  '1': 1,
  '2': 2,
  '3': 3,
  MIRRORED: 10,
  PARTIAL: 11,
  NONE: 98,
  UNKNOWN: 99,
} as const;

export const GgmlNumaStrategy = {
  DISABLED: 0,
  DISTRIBUTE: 1,
  ISOLATE: 2,
  NUMACTL: 3,
  MIRROR: 4,
  COUNT: 5,
} as const;

export const GgmlOptLossType = {
  MEAN: 0,
  SUM: 1,
  CROSS_ENTROPY: 2,
  MEAN_SQUARED_ERROR: 3,
} as const;

export const GgmlOptBuildType = {
  FORWARD: 10,
  GRAD: 20,
  OPT: 30,
} as const;

export const GgmlOptOptimizerType = {
  ADAMW: 0,
  SGD: 1,
  COUNT: 2,
} as const;

export const GgufType = {
  UINT8: 0,
  INT8: 1,
  UINT16: 2,
  INT16: 3,
  UINT32: 4,
  INT32: 5,
  FLOAT32: 6,
  BOOL: 7,
  STRING: 8,
  ARRAY: 9,
  UINT64: 10,
  INT64: 11,
  FLOAT64: 12,
  COUNT: 13,
} as const;

export const LlamaVocabType = {
  NONE: 0,
  SPM: 1,
  BPE: 2,
  WPM: 3,
  UGM: 4,
  RWKV: 5,
  PLAMO2: 6,
  TEST: 7,
} as const;

export const LlamaRopeType = {
  NONE: -1,
  NORM: 0,
  NEOX: 2,
  MROPE: 8,
  IMROPE: 40,
  VISION: 24,
} as const;

export const LlamaTokenType = {
  UNDEFINED: 0,
  NORMAL: 1,
  UNKNOWN: 2,
  CONTROL: 3,
  USER_DEFINED: 4,
  UNUSED: 5,
  BYTE: 6,
} as const;

export const LlamaTokenAttr = {
  UNDEFINED: 0,
  UNKNOWN: 1,
  UNUSED: 2,
  NORMAL: 4,
  CONTROL: 8,
  USER_DEFINED: 16,
  BYTE: 32,
  NORMALIZED: 64,
  LSTRIP: 128,
  RSTRIP: 256,
  SINGLE_WORD: 512,
} as const;

export const LlamaFtype = {
  ALL_F32: 0,
  MOSTLY_F16: 1,
  MOSTLY_Q4_0: 2,
  MOSTLY_Q4_1: 3,
  MOSTLY_Q8_0: 7,
  MOSTLY_Q5_0: 8,
  MOSTLY_Q5_1: 9,
  MOSTLY_Q2_K: 10,
  MOSTLY_Q3_K_S: 11,
  MOSTLY_Q3_K_M: 12,
  MOSTLY_Q3_K_L: 13,
  MOSTLY_Q4_K_S: 14,
  MOSTLY_Q4_K_M: 15,
  MOSTLY_Q5_K_S: 16,
  MOSTLY_Q5_K_M: 17,
  MOSTLY_Q6_K: 18,
  MOSTLY_IQ2_XXS: 19,
  MOSTLY_IQ2_XS: 20,
  MOSTLY_Q2_K_S: 21,
  MOSTLY_IQ3_XS: 22,
  MOSTLY_IQ3_XXS: 23,
  MOSTLY_IQ1_S: 24,
  MOSTLY_IQ4_NL: 25,
  MOSTLY_IQ3_S: 26,
  MOSTLY_IQ3_M: 27,
  MOSTLY_IQ2_S: 28,
  MOSTLY_IQ2_M: 29,
  MOSTLY_IQ4_XS: 30,
  MOSTLY_IQ1_M: 31,
  MOSTLY_BF16: 32,
  MOSTLY_TQ1_0: 36,
  MOSTLY_TQ2_0: 37,
  MOSTLY_MXFP4_MOE: 38,
  MOSTLY_NVFP4: 39,
  MOSTLY_Q1_0: 40,
  MOSTLY_Q2_0: 41,
  GUESSED: 1024,
} as const;

export const LlamaRopeScalingType = {
  UNSPECIFIED: -1,
  NONE: 0,
  LINEAR: 1,
  YARN: 2,
  LONGROPE: 3,
  MAX_VALUE: 3,
} as const;

export const LlamaPoolingType = {
  UNSPECIFIED: -1,
  NONE: 0,
  MEAN: 1,
  CLS: 2,
  LAST: 3,
  RANK: 4,
} as const;

export const LlamaAttentionType = {
  UNSPECIFIED: -1,
  CAUSAL: 0,
  NON_CAUSAL: 1,
} as const;

export const LlamaFlashAttnType = {
  AUTO: -1,
  DISABLED: 0,
  ENABLED: 1,
} as const;

export const LlamaSplitMode = {
  NONE: 0,
  LAYER: 1,
  ROW: 2,
  TENSOR: 3,
} as const;

export const LlamaLoadMode = {
  AUTO: -1,
  NONE: 0,
  MMAP: 1,
  MLOCK: 2,
  MMAP_MLOCK: 3,
  DIRECT_IO: 4,
} as const;

export const LlamaLazyMode = {
  OFF: 0,
  AUTO: 1,
  ON: 2,
} as const;

export const LlamaContextType = {
  DEFAULT: 0,
  MTP: 1,
} as const;

export const LlamaModelKvOverrideType = {
  INT: 0,
  FLOAT: 1,
  BOOL: 2,
  STR: 3,
} as const;

export const LlamaModelMetaKey = {
  SEQUENCE: 0,
  TOP_K: 1,
  TOP_P: 2,
  MIN_P: 3,
  XTC_PROBABILITY: 4,
  XTC_THRESHOLD: 5,
  TEMP: 6,
  PENALTY_LAST_N: 7,
  PENALTY_REPEAT: 8,
  MIROSTAT: 9,
  MIROSTAT_TAU: 10,
  MIROSTAT_ETA: 11,
} as const;

export const GGML_FILE_MAGIC = 1734831468;
export const GGML_FILE_VERSION = 2;
export const GGML_QNT_VERSION = 2;
export const GGML_QNT_VERSION_FACTOR = 1000;
export const GGML_MAX_DIMS = 4;
export const GGML_MAX_PARAMS = 2048;
export const GGML_MAX_SRC = 10;
export const GGML_MAX_N_THREADS = 512;
export const GGML_MAX_OP_PARAMS = 64;
export const GGML_MAX_NAME = 64;
export const GGML_DEFAULT_N_THREADS = 4;
export const GGML_DEFAULT_GRAPH_SIZE = 2048;
export const GGML_MEM_ALIGN = 16;
export const GGML_EXIT_SUCCESS = 0;
export const GGML_EXIT_ABORTED = 1;
export const GGML_ROPE_TYPE_NORMAL = 0;
export const GGML_ROPE_TYPE_NEOX = 2;
export const GGML_ROPE_TYPE_MROPE = 8;
export const GGML_ROPE_TYPE_VISION = 24;
export const GGML_ROPE_TYPE_IMROPE = 40;
export const GGML_MROPE_SECTIONS = 4;
export const GGML_N_TASKS_MAX = -1;
export const GGML_BACKEND_META_MAX_DEVICES = 16;
export const GGUF_VERSION = 3;
export const GGUF_DEFAULT_ALIGNMENT = 32;
export const LLAMA_DEFAULT_SEED = 4294967295;
export const LLAMA_TOKEN_NULL = -1;
export const LLAMA_FILE_MAGIC_GGLA = 1734831201;
export const LLAMA_FILE_MAGIC_GGSN = 1734833006;
export const LLAMA_FILE_MAGIC_GGSQ = 1734833009;
export const LLAMA_SESSION_MAGIC = 1734833006;
export const LLAMA_SESSION_VERSION = 10;
export const LLAMA_STATE_SEQ_MAGIC = 1734833009;
export const LLAMA_STATE_SEQ_VERSION = 3;
export const LLAMA_STATE_SEQ_FLAGS_NONE = 0;
export const LLAMA_STATE_SEQ_FLAGS_SWA_ONLY = 1;
export const LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY = 1;
export const LLAMA_STATE_SEQ_FLAGS_ON_DEVICE = 2;
